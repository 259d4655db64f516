use crate::base::log::Level;

/// Writes the tracer's lines as records of the `log` crate.
///
/// ```
/// instana::set_logger(instana::logger::log);
/// ```
pub fn log(level: Level, line: &str) {
    let level = match level {
        Level::Error => ::log::Level::Error,
        Level::Warn => ::log::Level::Warn,
        Level::Info => ::log::Level::Info,
        Level::Debug => ::log::Level::Debug,
    };
    ::log::log!(target: "instana", level, "{line}");
}
