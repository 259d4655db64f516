//! What the tracer was told: by the environment, by code, by nobody (defaults).

use std::time::Duration;

use crate::secrets::Matcher;

/// The resolved settings of one tracer. Values the agent hands out later are
/// in `settings.rs`: these here win over them where they were set.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// `INSTANA_AGENT_HOST`, default `127.0.0.1`.
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
    /// names) holds any text.
    pub(crate) w3c_correlation: bool,
    /// `INSTANA_ALLOW_ROOT_EXIT_SPAN`, default false.
    pub(crate) allow_root_exit: bool,
    /// Bound of the span memory over all threads, bytes, default 16 MiB.
    pub(crate) buffer_bytes: usize,
    /// How long the guard may flush when it is dropped, default 2 s.
    pub(crate) flush_deadline: Duration,
}
