//! The way to Instana: from finished spans, figures and events to requests.

pub(crate) mod event;
pub(crate) mod export;
pub(crate) mod host_agent;
mod housekeeping;
pub mod metrics;
pub(crate) mod port;
pub(crate) mod signal;
pub(crate) mod span_counts;
pub(crate) mod status;
pub(crate) mod transport;
