use crate::base::log::Level;

/// Writes the tracer's lines as events of the `tracing` crate.
///
/// ```
/// instana::set_logger(instana::logger::tracing);
/// ```
pub fn tracing(level: Level, line: &str) {
    match level {
        Level::Error => ::tracing::error!(target: "instana", "{line}"),
        Level::Warn => ::tracing::warn!(target: "instana", "{line}"),
        Level::Info => ::tracing::info!(target: "instana", "{line}"),
        Level::Debug => ::tracing::debug!(target: "instana", "{line}"),
    }
}
