//! A traced application that tests control: commands come in a line each on standard
//! input, answers go out a line each on standard output. It ends, flushing, when its
//! input is closed.
#![forbid(unsafe_code)]

mod client;
mod commands;
mod graphql;
mod journal;
mod options;
mod redis;
mod server;
mod sql;

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use crate::journal::Journal;
use crate::options::Options;

fn main() -> ExitCode {
    match Options::parse()
        .map_err(io::Error::other)
        .and_then(|options| run(&options))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traced-app: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let logger = instana_log::Logger::new(Journal);
    logger.install().map_err(io::Error::other)?;
    let guard = instana::init();
    if let Some(setup) = options.serve.clone() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))?;
        say(&listener.local_addr()?.to_string())?;
        // Serves until the process ends.
        thread::spawn(move || runtime.block_on(server::serve(listener, setup)));
    } else {
        say("ready")?;
    }
    for line in io::stdin().lines() {
        let answer = commands::obey(&line?);
        say(&answer)?;
    }
    drop(guard);
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
