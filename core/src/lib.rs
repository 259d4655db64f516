#![doc = include_str!("../README.md")]
mod agent;
mod clock;
mod config;
mod context;
mod event;
mod export;
#[cfg(unix)]
mod fork;
mod future;
mod id;
mod init;
mod json;
mod local;
mod log;
#[cfg(any(feature = "log", feature = "tracing"))]
pub mod logger;
mod metrics;
pub mod propagation;
mod record;
mod runtime;
mod secrets;
mod segment;
mod settings;
pub mod span;
mod status;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tracer;

pub use crate::agent::status::{AgentError, AgentStatus, Phase};
pub use crate::config::{
    CapturedLogs, FilterMatch, IgnoredEndpoint, KafkaHeaderFormat, Origin, Setting, SpanFilter,
    StackTraces,
};
pub use crate::context::Context;
pub use crate::event::{Event, EventCounts, Severity, event};
pub use crate::future::{FutureExt, InSpan};
pub use crate::init::{Builder, Guard, InitError, builder, flush, init};
pub use crate::log::{Level as LogLevel, set_logger};
#[doc(inline)]
pub use crate::span::{Span, current, entry_span, exit_span, span};
pub use crate::status::{SpanCounts, Status, status};
pub use crate::tracer::Tracer;
