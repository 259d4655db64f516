//! The AWS SDK against moto: processes that are one trace by their messages.

mod continuity;
mod payload;

use std::time::Duration;

use instana_dev_agent::DevAgent;

use crate::app::App;
use crate::services::variable;

const LONG: Duration = Duration::from_secs(30);

/// A traced process that uses the services at `AWS_ENDPOINT_URL`.
fn start(agent: &DevAgent) -> App {
    App::of_agent(
        agent,
        env!("CARGO_BIN_EXE_traced-aws"),
        &[&variable("AWS_ENDPOINT_URL")],
        &[],
    )
}

/// A new queue; its URL. Tests run at the same time, and again.
fn queue(app: &mut App, name: &str) -> String {
    let name = format!("{name}-{}", app.pid());
    let url = app.ask(&format!("create-queue {name}"));
    assert!(url.ends_with(&name), "{url}");
    url
}

/// Sends what was recorded, and tells how much that was.
fn flushed(app: &mut App) -> u64 {
    assert_eq!(app.ask("flush"), "true");
    let counts = app.ask("counts");
    counts.split(' ').next().unwrap().parse().unwrap()
}
