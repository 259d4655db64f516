//! datadog-opentelemetry: the OpenTelemetry API with its provider, processor
//! and propagator, as its README sets it up. Its default configuration, with
//! the discarding agent's address, sends spans and statistics as msgpack over
//! HTTP.

use datadog_opentelemetry::configuration::Config;

use super::opentelemetry::OpenTelemetry;

/// Starts the tracer; it does not say what it dropped.
pub(crate) fn start(agent: &str) -> OpenTelemetry {
    let mut config = Config::builder();
    config.set_service("bench".to_owned());
    config.set_trace_agent_url(format!("http://{agent}"));
    let tracing = datadog_opentelemetry::tracing().with_config(config.build());
    OpenTelemetry::new(tracing.init())
}
