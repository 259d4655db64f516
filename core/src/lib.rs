#![doc = include_str!("../README.md")]
mod base;
mod config;
mod pipeline;
mod policy;
mod process;
mod record;
mod secrets;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trace;

pub use crate::base::alloc;
#[doc(hidden)]
pub use crate::base::log::warn_of_use as __warn;
pub use crate::base::log::{Level as LogLevel, LineCounts, set_logger};
pub use crate::config::{
    CapturedLogs, FilterMatch, IgnoredEndpoint, KafkaHeaderFormat, Origin, Setting, SpanFilter,
    StackTraces,
};
pub use crate::pipeline::event::{Event, EventCounts, Severity, event};
pub use crate::pipeline::metrics::{self, Counter, Gauge, counter, gauge};
pub use crate::pipeline::span_counts::SpanCounts;
pub use crate::pipeline::status::{AgentError, AgentStatus, Phase};
#[cfg(any(feature = "log", feature = "tracing"))]
pub use crate::process::logger;
pub use crate::process::{Builder, Guard, InitError, Status, builder, flush, init, status};
pub use crate::trace::context::{Context, Id, Ids, Tracer, current_ids};
pub use crate::trace::future::{self, FutureExt, InSpan};
pub use crate::trace::propagation;
#[doc(inline)]
pub use crate::trace::span::{self, Span, current, entry_span, exit_span, span, suppress};
#[cfg(feature = "macros")]
pub use instana_macros::trace;

/// What the attribute expands to needs it.
#[cfg(feature = "macros")]
#[doc(hidden)]
pub use crate::trace::macros as __macro;
