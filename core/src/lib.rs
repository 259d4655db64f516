//! The Instana tracer.
mod agent;
mod clock;
mod config;
mod context;
mod export;
mod future;
mod id;
mod local;
mod log;
mod metrics;
pub mod propagation;
mod record;
mod secrets;
mod segment;
mod settings;
pub mod span;
mod status;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tracer;

pub use crate::context::Context;
pub use crate::future::{FutureExt, InSpan};
pub use crate::span::{Span, current, entry_span, exit_span, span};
pub use crate::tracer::Tracer;
