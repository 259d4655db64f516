//! A traced application that uses AWS and that tests control: commands come in a line
//! each on standard input, answers go out a line each on standard output. The argument is
//! the URL of the services. It ends, flushing, when its input is closed.
#![forbid(unsafe_code)]

mod clients;
mod commands;
mod worker;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::clients::Clients;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traced-aws: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let guard = instana::init();
    let endpoint = std::env::args().nth(1).ok_or("the URL is missing")?;
    let clients = Clients::new(&endpoint);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    say("ready")?;
    for line in io::stdin().lines() {
        let answer = runtime.block_on(commands::obey(&clients, &line?));
        say(&answer.unwrap_or_else(|error| format!("error: {error:?}")))?;
    }
    drop(guard);
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", line.replace('\n', " "))?;
    out.flush()
}
