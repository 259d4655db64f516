#![doc = include_str!("../README.md")]
mod agent;
pub mod alloc;
mod clock;
mod config;
mod context;
#[cfg(unix)]
mod descriptor;
#[cfg(not(unix))]
#[path = "descriptor_portable.rs"]
mod descriptor;
mod event;
mod export;
mod foreign;
#[cfg(unix)]
mod fork;
pub mod future;
mod id;
mod ids;
mod init;
mod json;
mod local;
mod log;
#[cfg(any(feature = "log", feature = "tracing"))]
pub mod logger;
mod memory;
pub mod metrics;
#[cfg(any(test, feature = "testing"))]
mod outside;
#[cfg(not(any(test, feature = "testing")))]
#[path = "outside_none.rs"]
mod outside;
pub mod propagation;
mod record;
mod rules;
mod runtime;
mod secrets;
mod segment;
mod setters;
mod settings;
mod slow_polls;
pub mod span;
mod stack;
mod status;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod threads;
mod tracer;
mod unrecorded;

pub use crate::agent::status::{AgentError, AgentStatus, Phase};
pub use crate::config::{
    CapturedLogs, FilterMatch, IgnoredEndpoint, KafkaHeaderFormat, Origin, Setting, SpanFilter,
    StackTraces,
};
pub use crate::context::{Context, suppress};
pub use crate::event::{Event, EventCounts, Severity, event};
pub use crate::future::{FutureExt, InSpan};
pub use crate::ids::{Id, Ids, current_ids};
pub use crate::init::{Builder, Guard, InitError, builder, flush, init};
#[doc(hidden)]
pub use crate::log::warn_of_use as __warn;
pub use crate::log::{Level as LogLevel, set_logger};
pub use crate::metrics::{Counter, Gauge, counter, gauge};
#[doc(inline)]
pub use crate::span::{Span, current, entry_span, exit_span, span};
pub use crate::status::{LineCounts, SpanCounts, Status, status};
pub use crate::tracer::Tracer;
#[cfg(feature = "macros")]
pub use instana_macros::trace;

/// What the attribute expands to needs it.
#[cfg(feature = "macros")]
#[doc(hidden)]
#[path = "macros.rs"]
pub mod __macro;
