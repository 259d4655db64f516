//! The command line.

use std::net::SocketAddr;

use lexopt::prelude::*;

use crate::services::Service;

pub(crate) const HELP: &str = "\
usage: cargo run -p shop [-- <options>]

Starts a local Instana agent (unless one answers at INSTANA_AGENT_HOST and
INSTANA_AGENT_PORT) and three services, sends them requests for a few seconds
and shows what the agent saw.

  --serve   stay up afterwards, until Ctrl-C
  --json    print one JSON object instead of text
  --help    this text";

pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) serve: bool,
    pub(crate) json: bool,
}

pub(crate) enum Mode {
    /// The whole demonstration.
    Demo,
    Help,
    /// One of its services; with the addresses of those it calls. Used by the
    /// demonstration itself.
    Service(Service, Vec<SocketAddr>),
}

impl Options {
    pub(crate) fn parse() -> Result<Self, lexopt::Error> {
        let mut options = Self {
            mode: Mode::Demo,
            serve: false,
            json: false,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => options.mode = Mode::Help,
                Long("json") => options.json = true,
                Long("serve") => options.serve = true,
                Long("service") => {
                    let name = parser.value()?.string()?;
                    let service = Service::by_name(&name)
                        .ok_or_else(|| format!("there is no service {name:?}"))?;
                    options.mode = Mode::Service(service, Vec::new());
                }
                Value(address) => match &mut options.mode {
                    Mode::Service(_, others) => others.push(address.parse()?),
                    Mode::Demo | Mode::Help => return Err(Value(address).unexpected()),
                },
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }
}
