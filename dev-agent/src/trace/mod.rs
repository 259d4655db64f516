//! Traces: the spans of one id as a tree.

mod describe;
mod outline;
mod span;
mod tree;

pub(crate) use self::describe::describe;
pub use self::outline::Row;
pub use self::span::{SpanKind, TraceSpan};
pub use self::tree::Trace;
