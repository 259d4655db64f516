//! Loggers for the tracer's own lines: `instana::builder().logger(…)` and
//! [`set_logger`](crate::set_logger) take them. Their target is `instana`, and the
//! level of [`log_level`](crate::Builder::log_level) holds before theirs.
//!
//! ```
//! # #[cfg(feature = "log")]
//! instana::set_logger(instana::logger::log);
//! ```

#[cfg(feature = "log")]
mod log;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "log")]
pub use self::log::log;
#[cfg(feature = "tracing")]
pub use self::tracing::tracing;
