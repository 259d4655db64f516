//! What the tracer was told: by the environment, by code, by nobody (defaults).

use std::time::Duration;

use crate::log::Level;
use crate::secrets::Matcher;
use crate::settings::SLOW_POLL;

mod code;
mod env;
mod parse;
mod problem;

pub(crate) use self::code::CodeSettings;
pub(crate) use self::env::from_environment;
pub(crate) use self::problem::Problem;

/// The resolved settings of one tracer. Values the agent hands out later are
/// in `settings.rs`: these here win over them where they were set.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// `INSTANA_AGENT_HOST`, default `127.0.0.1`. A name or an address; IPv6
    /// without brackets, as `(&str, u16)::to_socket_addrs` wants it.
    pub(crate) agent_host: String,
    /// `INSTANA_AGENT_PORT`, default 42699.
    pub(crate) agent_port: u16,
    /// `INSTANA_AGENT_REQUEST_TIMEOUT` in milliseconds, default 5 s: the total
    /// deadline of one request to the agent, connect included.
    pub(crate) agent_timeout: Duration,
    /// `INSTANA_PLUGIN_NAME`, default `rust`: the name in the announce and all URLs.
    pub(crate) plugin: String,
    /// `INSTANA_SERVICE_NAME`: `data.service` of every span.
    pub(crate) service: Option<String>,
    /// `INSTANA_PROCESS_NAME`: snapshot `name`.
    pub(crate) process_name: Option<String>,
    /// `INSTANA_SECRETS`: wins over the agent's.
    pub(crate) secrets: Option<Matcher>,
    /// `INSTANA_EXTRA_HTTP_HEADERS`: wins over the agent's. Lower case.
    pub(crate) extra_headers: Option<Vec<String>>,
    /// False where `INSTANA_DISABLE_W3C_TRACE_CORRELATION` (or one of its newer
    /// names) holds any text: traces are not continued from `traceparent`.
    pub(crate) w3c_correlation: bool,
    /// False where `INSTANA_TRACING_DISABLE_W3C_PROPAGATION` or
    /// `INSTANA_TRACING_DISABLE_W3C` holds any text: W3C headers are not sent.
    pub(crate) w3c_propagation: bool,
    /// `INSTANA_ALLOW_ROOT_EXIT_SPAN`, default false.
    pub(crate) allow_root_exit: bool,
    /// `INSTANA_LOG_LEVEL` and `INSTANA_DEBUG`, default info.
    pub(crate) log_level: Level,
    /// Bound of the span memory over all threads, bytes, default 16 MiB.
    pub(crate) buffer_bytes: usize,
    /// `INSTANA_POLL_TIMING`, default false: the polls of entries are timed.
    pub(crate) poll_timing: bool,
    /// `INSTANA_SLOW_POLL` in milliseconds, default 100: the log tells of timed
    /// polls from this length on.
    pub(crate) slow_poll: Duration,
    /// How long the guard may flush when it is dropped, default 2 s.
    pub(crate) flush_deadline: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            agent_host: "127.0.0.1".to_owned(),
            agent_port: 42_699,
            agent_timeout: Duration::from_secs(5),
            plugin: "rust".to_owned(),
            service: None,
            process_name: None,
            secrets: None,
            extra_headers: None,
            w3c_correlation: true,
            w3c_propagation: true,
            allow_root_exit: false,
            log_level: Level::Warn,
            buffer_bytes: 16 * 1024 * 1024,
            poll_timing: false,
            slow_poll: SLOW_POLL,
            flush_deadline: Duration::from_secs(2),
        }
    }
}

#[cfg(test)]
mod tests;
