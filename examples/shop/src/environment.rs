//! The variables that say where an agent is, and how to print.
#![expect(
    clippy::disallowed_methods,
    reason = "an example's own settings, read here only"
)]

use std::env;

/// `INSTANA_AGENT_HOST` and `INSTANA_AGENT_PORT`, with the tracer's defaults.
pub(crate) fn agent() -> (String, u16) {
    let host = env::var("INSTANA_AGENT_HOST")
        .ok()
        .filter(|host| !host.is_empty());
    let port = env::var("INSTANA_AGENT_PORT")
        .ok()
        .and_then(|port| port.parse().ok());
    (
        host.unwrap_or_else(|| "127.0.0.1".to_owned()),
        port.unwrap_or(42699),
    )
}

/// Whether colours are not wanted (<https://no-color.org>), or the terminal has none.
pub(crate) fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
}
