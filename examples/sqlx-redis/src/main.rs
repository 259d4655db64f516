//! A program with sqlx and redis, and what three lines make of it:
//! `cargo run -p sqlx-redis`.
#![forbid(unsafe_code)]

mod demo;
mod environment;
mod plain;
mod requests;
mod traced;

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const HELP: &str = "\
sqlx-redis          an agent, the traced program, and what the agent got of it
sqlx-redis traced   the program alone; for an agent at INSTANA_AGENT_HOST and
                    INSTANA_AGENT_PORT
sqlx-redis plain    the program as it was before

REDIS_URL  puts Redis in front of SQLite, for instance redis://127.0.0.1:6379";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        [] => demo::run(),
        ["plain"] => plain::main(),
        ["traced"] => traced::main(),
        ["-h" | "--help"] => say(HELP),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sqlx-redis: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints lines. A reader that went away is an error, not a panic.
fn say(lines: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{lines}")?;
    Ok(out.flush()?)
}
