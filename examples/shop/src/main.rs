//! A small shop of three services, traced by Instana: one command to see what
//! the tracer does. `cargo run -p shop`; with more servers: `--help`.
#![forbid(unsafe_code)]

mod agent;
mod children;
mod environment;
mod load;
mod options;
mod query;
mod queue;
mod report;
mod services;

use std::error::Error;
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use crate::agent::Agent;
use crate::children::Children;
use crate::options::{Mode, Options};
use crate::queue::Topic;
use crate::report::Report;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long the traces may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("shop: {error}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    let result = match &options.mode {
        Mode::Help => say(options::HELP),
        Mode::Service(service, others) => {
            let run = services::run(*service, others, options.topic.as_deref());
            run.map_err(|error| format!("{}: {}", service.name(), chain(error.as_ref())).into())
        }
        Mode::Demo => demo(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Agent, queue, shop.
fn demo(options: &Options) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let agent = Agent::find_or_start().await?;
        if !options.json {
            say(&agent.describe())?;
        }
        let topic = Topic::create().await?;
        let result = open(options, &agent, topic.as_ref()).await;
        match topic {
            Some(topic) => result.and(topic.delete().await),
            None => result,
        }
    })
}

/// Services, load, report.
async fn open(options: &Options, agent: &Agent, topic: Option<&Topic>) -> Outcome<()> {
    let children = Children::start(agent.address(), topic.map(Topic::name)).await?;
    if !options.json {
        say(&children.describe())?;
        say(&format!("goods       {}", services::goods()))?;
        if let Some(queue) = Topic::describe(topic) {
            say(&format!("queue       {queue}"))?;
        }
    }
    let expected = load::send(children.storefront(), topic.is_some()).await?;
    let report = Report::gather(agent, &children, expected, PATIENCE).await?;
    if options.json {
        say(&report.json().to_string())?;
    } else {
        say(report.text().trim_end())?;
    }
    if options.serve {
        serve(&children, options.json).await?;
    }
    children.stop().await
}

/// Stays up until Ctrl-C.
async fn serve(children: &Children, quiet: bool) -> Outcome<()> {
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // Polled once, so that it is caught from here on.
    tokio::select! {
        biased;
        result = &mut interrupted => return Ok(result?),
        () = std::future::ready(()) => {}
    }
    if !quiet {
        say(&format!(
            "\nThe shop stays open: curl http://{}/products/book (Ctrl-C ends it)",
            children.storefront()
        ))?;
    }
    Ok(interrupted.await?)
}

/// Prints lines. A reader that went away is an error, not a panic.
fn say(lines: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{lines}")?;
    Ok(out.flush()?)
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
