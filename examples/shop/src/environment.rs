//! The variables that say where an agent and servers are, and how to print.
#![expect(
    clippy::disallowed_methods,
    reason = "an example's own settings, read here only"
)]

use std::env;

/// `INSTANA_AGENT_HOST` and `INSTANA_AGENT_PORT`, with the tracer's defaults.
pub(crate) fn agent() -> (String, u16) {
    let port = set("INSTANA_AGENT_PORT").and_then(|port| port.parse().ok());
    (
        set("INSTANA_AGENT_HOST").unwrap_or_else(|| "127.0.0.1".to_owned()),
        port.unwrap_or(42699),
    )
}

/// Where the goods are kept, instead of in the process.
pub(crate) fn postgres() -> Option<String> {
    set("POSTGRES_URL")
}

/// A cache in front of the goods.
pub(crate) fn redis() -> Option<String> {
    set("REDIS_URL")
}

/// The order queue. Where tests are to use a broker of their own, there is none.
pub(crate) fn brokers() -> Option<String> {
    set("KAFKA_BROKERS").filter(|brokers| brokers != "mock")
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether colours are not wanted (<https://no-color.org>), or the terminal has none.
pub(crate) fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
}
