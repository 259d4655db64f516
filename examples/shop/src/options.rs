//! The command line.

use std::net::SocketAddr;

use lexopt::prelude::*;

use crate::services::Service;

pub(crate) const HELP: &str = "\
usage: cargo run -p shop [-- <options>]

Starts a local Instana agent (unless one answers at INSTANA_AGENT_HOST and
INSTANA_AGENT_PORT) and three services, sends them requests for a few seconds
and shows what the agent saw. The goods are in SQLite, in the process.

  --serve   stay up afterwards, until Ctrl-C
  --json    print one JSON object instead of text
  --help    this text

  POSTGRES_URL    keeps the goods in PostgreSQL
  REDIS_URL       puts a cache in front of the goods
  KAFKA_BROKERS   (host:port) sends orders through Kafka to a fourth service; for
                  cargo run -p shop --features kafka, which builds librdkafka and
                  takes a C++ compiler

`cargo xtask services up postgres redis kafka` starts such servers and prints the
variables.";

pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) serve: bool,
    pub(crate) json: bool,
    /// The queue of a service.
    pub(crate) topic: Option<String>,
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
            topic: None,
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
                Long("topic") => options.topic = Some(parser.value()?.string()?),
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
