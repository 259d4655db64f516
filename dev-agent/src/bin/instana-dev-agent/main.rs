//! `instana-dev-agent`: the agent in a terminal.

mod console;
mod environment;
mod examine;
mod options;

use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use instana_dev_agent::render::{Style, printable};
use instana_dev_agent::{DevAgent, Notices, Rule, StartError};

use self::console::Console;
use self::options::{Action, Options};

fn main() -> ExitCode {
    let options = match options::parse(lexopt::Parser::from_env(), environment::memory()) {
        Ok(Action::Run(options)) => options,
        Ok(Action::Doctor(order)) => return examine::run(order),
        Ok(Action::Help) => return print(options::HELP),
        Ok(Action::Rules) => return print(&Rule::table()),
        Ok(Action::Version) => {
            return print(&format!(
                "instana-dev-agent {}\n",
                env!("CARGO_PKG_VERSION")
            ));
        }
        Err(error) => {
            let error = printable(&error);
            eprintln!("instana-dev-agent: {error}\nTry `instana-dev-agent --help`.");
            return ExitCode::from(2);
        }
    };
    match run(*options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("instana-dev-agent: {}", printable(&message));
            ExitCode::FAILURE
        }
    }
}

/// A reader that has gone (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn run(options: Options) -> Result<(), String> {
    let interrupted = interrupts()?;
    let agent = DevAgent::start(options.config).map_err(|error| refusal(&error))?;
    let notices = agent.subscribe();
    let style = Style::of_stdout(!environment::no_color(), environment::columns());
    let console = Console::new(options.output, style);
    console.started(agent.addr());
    follow(&console, &notices, &interrupted);
    console.summary(&agent);
    Ok(())
}

/// Prints notices until Ctrl-C, or until nobody reads them.
fn follow(console: &Console, notices: &Notices, interrupted: &Receiver<()>) {
    loop {
        match notices.recv_timeout(Duration::from_millis(100)) {
            Ok(notice) => {
                if console.notice(&notice).is_err() {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if interrupted.try_recv().is_ok() {
            return;
        }
    }
}

/// Ctrl-C and SIGTERM, from a thread that only waits for them.
fn interrupts() -> Result<Receiver<()>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot wait for Ctrl-C: {error}"))?;
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime.block_on(interrupt());
        let _ = sender.send(());
    });
    Ok(receiver)
}

#[cfg(unix)]
async fn interrupt() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

#[cfg(not(unix))]
async fn interrupt() {
    let _ = tokio::signal::ctrl_c().await;
}

fn refusal(error: &StartError) -> String {
    let advice = match error {
        StartError::Remote(_) => "; add `--allow-remote --token <secret>`",
        StartError::NoToken(_) => "; add `--token <secret>`",
        StartError::Listen(..) => "; see `--listen`",
        _ => "",
    };
    let source = std::error::Error::source(error);
    let source = source
        .map(|source| format!(" ({source})"))
        .unwrap_or_default();
    format!("{error}{source}{advice}")
}
