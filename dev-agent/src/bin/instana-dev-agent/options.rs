//! The options of the command line.

use std::net::SocketAddr;

use instana_dev_agent::{AnnounceAnswer, Config};
use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::console::Output;
use crate::examine::{self, Order};

pub(crate) const HELP: &str = r#"A local Instana agent: shows the traces of your processes and checks what their
tracers send.

Usage: instana-dev-agent [options]
       instana-dev-agent doctor [options]   why a process does not show up

  --listen ADDR:PORT        default 127.0.0.1:42699; port 0 takes a free one
  --allow-remote            allow an address that other machines reach (needs --token)
  --token SECRET            bearer token that /dev/... demands
  --host NAME               a name that tracers call the agent by; addresses, localhost
                            and names without a dot need none
  --memory MIB              for all that came; default 64, or INSTANA_DEV_AGENT_MEMORY;
                            the oldest is dropped and counted
  --quiet                   print violations only
  --json                    print one JSON object a line
  --rules                   print the rules that requests are checked against
  --secrets MATCHER:A,B     secrets for the tracers, for instance equals:password,pin;
                            matchers: equals, equals-ignore-case, contains,
                            contains-ignore-case, regex, none
  --extra-headers A;B       HTTP headers for the tracers to capture
  --poll-rate SECONDS       metrics interval for the tracers
  --tracing JSON            tracing settings for the tracers, for instance
                            '{"disable": [{"logging": true}], "span-batching-enabled": true}'
  --root-exits              exits may be without a parent
  -h, --help
  -V, --version
"#;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Action {
    Doctor(Order),
    Help,
    Rules,
    Run(Box<Options>),
    Version,
}

/// How to run.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) config: Config,
    pub(crate) output: Output,
}

/// Reads the command line.
///
/// # Errors
/// A text that names the option and what it accepts.
pub(crate) fn parse(
    mut parser: lexopt::Parser,
    memory_variable: Option<String>,
) -> Result<Action, String> {
    // Tracers may have been running before the agent was started.
    let mut config = Config::new()
        .listen(SocketAddr::from(([127, 0, 0, 1], 42699)))
        .strangers(true);
    if let Some(mebibytes) = memory_variable {
        let refused = |_| format!("INSTANA_DEV_AGENT_MEMORY `{mebibytes}` is not {MEMORY}");
        config = config.memory(memory(&mebibytes).map_err(refused)?);
    }
    let mut answer = AnnounceAnswer::new();
    let mut output = Output::Text;
    while let Some(option) = parser.next().map_err(|error| error.to_string())? {
        match option {
            Value(command) if command == "doctor" => {
                return examine::parse(parser).map(Action::Doctor);
            }
            Short('h') | Long("help") => return Ok(Action::Help),
            Short('V') | Long("version") => return Ok(Action::Version),
            Long("rules") => return Ok(Action::Rules),
            Long("quiet") => output = Output::Quiet,
            Long("json") => output = Output::Json,
            Long("allow-remote") => config = config.allow_remote(true),
            Long("root-exits") => config = config.root_exits(true),
            Long("token") => config = config.token(text(&mut parser)?),
            Long("host") => config = config.host(text(&mut parser)?),
            Long("memory") => config = config.memory(memory(&text(&mut parser)?)?),
            Long("listen") => config = config.listen(address(&text(&mut parser)?)?),
            Long("secrets") => {
                let (matcher, list) = secrets(&text(&mut parser)?)?;
                answer = answer.secrets(matcher, list);
            }
            Long("extra-headers") => {
                answer = answer.extra_headers(header_names(&text(&mut parser)?)?);
            }
            Long("poll-rate") => answer = answer.poll_rate(poll_rate(&text(&mut parser)?)?),
            Long("tracing") => answer = answer.tracing(tracing(&text(&mut parser)?)?),
            Value(value) => {
                return Err(format!("unexpected argument `{}`", value.to_string_lossy()));
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    let config = config.announce_answer(answer);
    Ok(Action::Run(Box::new(Options { config, output })))
}

fn header_names(text: &str) -> Result<Vec<String>, String> {
    // The characters of a token (RFC 9110, 5.6.2).
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let names = text.split(';').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    match names.iter().find(|name| !name.chars().all(is_of_token)) {
        None => Ok(names.into_iter().map(str::to_owned).collect()),
        Some(wrong) => Err(format!(
            "--extra-headers `{wrong}` is not the name of a header; names are separated by `;`"
        )),
    }
}

fn poll_rate(seconds: &str) -> Result<u64, String> {
    let parsed = seconds.parse().ok().filter(|seconds| *seconds > 0);
    parsed.ok_or_else(|| format!("--poll-rate `{seconds}` is not a number of seconds above 0"))
}

fn tracing(settings: &str) -> Result<serde_json::Value, String> {
    let parsed = serde_json::from_str(settings);
    let object = parsed.ok().filter(serde_json::Value::is_object);
    object.ok_or_else(|| format!("--tracing `{settings}` is no JSON object"))
}

fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    value.string().map_err(|error| error.to_string())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let full = text.replace("localhost", "127.0.0.1");
    full.parse()
        .map_err(|_| format!("--listen `{text}` is not ADDR:PORT, for instance 127.0.0.1:42699"))
}

const MEMORY: &str = "a number of MiB from 4 to 65536";

fn memory(mebibytes: &str) -> Result<usize, String> {
    let parsed = mebibytes.trim().parse::<usize>().ok();
    let bytes = parsed
        .filter(|mebibytes| (4..=65_536).contains(mebibytes))
        .and_then(|mebibytes| mebibytes.checked_mul(1024 * 1024));
    bytes.ok_or_else(|| format!("--memory `{mebibytes}` is not {MEMORY}"))
}

fn secrets(text: &str) -> Result<(String, Vec<String>), String> {
    let (matcher, list) = text.split_once(':').unwrap_or((text, ""));
    if !AnnounceAnswer::MATCHERS.contains(&matcher) {
        return Err(format!(
            "--secrets matcher `{matcher}` is unknown; known are {}",
            AnnounceAnswer::MATCHERS.join(", ")
        ));
    }
    let list = list
        .split(',')
        .map(str::trim)
        .filter(|secret| !secret.is_empty());
    Ok((matcher.to_owned(), list.map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Action, String> {
        parse(lexopt::Parser::from_args(arguments), None)
    }

    #[test]
    fn memory_by_variable() {
        let none: &[&str] = &[];
        let parsed =
            |mebibytes: &str| parse(lexopt::Parser::from_args(none), Some(mebibytes.to_owned()));
        assert!(parsed("128").is_ok() && parsed(" 4 ").is_ok());
        for wrong in ["", "3", "64 MiB", "-1", "99999999999999999999"] {
            let error = parsed(wrong).unwrap_err();
            assert!(error.contains("INSTANA_DEV_AGENT_MEMORY"), "{error}");
            assert!(error.contains("from 4 to 65536"), "{error}");
        }
    }

    #[test]
    fn wrong_options_tell_what_is_accepted() {
        for (arguments, part) in [
            (&["--listen", "here"][..], "is not ADDR:PORT"),
            (
                &["--extra-headers", "x-a;a:b"],
                "`a:b` is not the name of a header",
            ),
            (&["--secrets", "like:a"], "known are equals, "),
            (&["--poll-rate", "0"], "above 0"),
            (&["--memory", "64MB"], "a number of MiB"),
            (&["--memory", "3"], "from 4 to 65536"),
            (&["--tracing", "[]"], "is no JSON object"),
            (&["--loud"], "--loud"),
            (&["x"], "`x`"),
            (&["--token"], "--token"),
        ] {
            let error = parsed(arguments).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn right_options() {
        let all = [
            "--listen",
            "localhost:0",
            "--quiet",
            "--memory",
            "128",
            "--host",
            "agent.corp.example",
            "--secrets",
            "equals:a,b",
            "--extra-headers",
            "x; y",
            "--poll-rate",
            "5",
            "--tracing",
            r#"{"disable": [{"logging": true}]}"#,
        ];
        assert!(
            matches!(parsed(&all), Ok(Action::Run(options)) if options.output == Output::Quiet)
        );
        assert!(matches!(
            parsed(&["doctor", "--pid", "7"]),
            Ok(Action::Doctor(Order::Examine { .. }))
        ));
        assert!(matches!(parsed(&["--rules"]), Ok(Action::Rules)));
        assert!(matches!(parsed(&["-V"]), Ok(Action::Version)));
        assert!(matches!(parsed(&["--json", "-h"]), Ok(Action::Help)));
    }
}
