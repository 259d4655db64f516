//! `instana-dev-agent doctor`.

use std::io::Write;
use std::process::ExitCode;

use instana_dev_agent::doctor::{Code, Doctor};
use instana_dev_agent::render::{self, Style};
use lexopt::prelude::{Long, Short, ValueExt};

use crate::environment;

pub(crate) const HELP: &str = "\
Finds out why a process does not show up in Instana. Run it where the process
runs: in its container, or on its host.

Usage: instana-dev-agent doctor [options]

  --agent HOST[:PORT]       instead of INSTANA_AGENT_HOST and INSTANA_AGENT_PORT
  --plugin NAME             instead of INSTANA_PLUGIN_NAME; default rust
  --pid PID                 a process: its variables, its connection to the agent
  --json                    print one JSON object
  --codes                   print what can be found, with what to do about it
  -h, --help

Ends with 0 if all is well, 1 if there is a problem, 2 if the options are wrong.
It takes at most 30 seconds, sends no span and no metrics, and announces nothing
but itself.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Order {
    Codes,
    Examine { doctor: Box<Doctor>, json: bool },
    Help,
}

/// Reads what stands behind `doctor`.
///
/// # Errors
/// A text that names the option and what it accepts.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Order, String> {
    let mut doctor = Doctor::new();
    let mut json = false;
    while let Some(option) = parser.next().map_err(|error| error.to_string())? {
        match option {
            Short('h') | Long("help") => return Ok(Order::Help),
            Long("codes") => return Ok(Order::Codes),
            Long("json") => json = true,
            Long("agent") => {
                let (host, port) = address(&text(&mut parser)?)?;
                doctor = doctor.agent(host);
                if let Some(port) = port {
                    doctor = doctor.port(port);
                }
            }
            Long("plugin") => doctor = doctor.plugin(plugin(text(&mut parser)?)?),
            Long("pid") => {
                let pid = text(&mut parser)?;
                let parsed = pid.parse().ok().filter(|pid| *pid > 0);
                doctor = doctor.pid(parsed.ok_or_else(|| format!("--pid `{pid}` is no pid"))?);
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    let doctor = Box::new(doctor);
    Ok(Order::Examine { doctor, json })
}

/// Does what the command line asks for.
pub(crate) fn run(order: Order) -> ExitCode {
    match order {
        Order::Codes => print(&Code::table()),
        Order::Help => print(HELP),
        Order::Examine { doctor, json } => {
            let report = doctor.environment(environment::all()).examine();
            let text = if json {
                render::printable_json(&report.to_json().to_string())
            } else {
                let style = Style::of_stdout(!environment::no_color(), None);
                render::printable(&render::examination(&report, style))
            };
            print(&format!("{text}\n"));
            let well = report.problems().next().is_none();
            return if well {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
    }
    ExitCode::SUCCESS
}

/// A reader that has gone (`| head`) is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    value.string().map_err(|error| error.to_string())
}

/// `host`, `host:port`, `[v6]`, `[v6]:port` or a bare v6 address.
fn address(text: &str) -> Result<(String, Option<u16>), String> {
    let refused = || format!("--agent `{text}` is not HOST or HOST:PORT (no http://)");
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port: u16 = port.parse().map_err(|_| refused())?;
            (host, Some(port))
        }
        _ => (text, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || host.contains('/') || port == Some(0) {
        return Err(refused());
    }
    Ok((host.to_owned(), port))
}

fn plugin(text: String) -> Result<String, String> {
    let sound = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    if (1..=64).contains(&text.len()) && text.bytes().all(sound) {
        return Ok(text);
    }
    Err(format!(
        "--plugin `{text}` is not 1 to 64 of a-z, 0-9, `.`, `_`, `-`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, host, port) in [
            ("agent", "agent", None),
            ("agent:1", "agent", Some(1)),
            ("10.0.0.1:42699", "10.0.0.1", Some(42699)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[::1]:7", "::1", Some(7)),
        ] {
            assert_eq!(address(text), Ok((host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn options() {
        let parsed = |arguments: &[&str]| parse(lexopt::Parser::from_args(arguments));
        for (arguments, part) in [
            (&["--agent", "http://h:1"][..], "no http://"),
            (&["--agent", "h:0"], "HOST:PORT"),
            (&["--agent", "h:x"], "HOST:PORT"),
            (&["--plugin", "Rust"], "1 to 64"),
            (&["--pid", "0"], "is no pid"),
            (&["--quick"], "--quick"),
            (&["now"], "now"),
        ] {
            let error = parsed(arguments).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let all = [
            "--agent", "h:1", "--plugin", "golang", "--pid", "7", "--json",
        ];
        assert!(matches!(
            parsed(&all),
            Ok(Order::Examine { json: true, .. })
        ));
        assert!(matches!(parsed(&["--codes"]), Ok(Order::Codes)));
        assert!(matches!(parsed(&["-h"]), Ok(Order::Help)));
    }
}
