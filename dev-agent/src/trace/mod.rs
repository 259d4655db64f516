//! Traces: the spans of one id as a tree.

mod describe;
mod span;
mod tree;

pub(crate) use self::describe::describe;
pub use self::span::{SpanKind, TraceSpan};
pub use self::tree::{Row, Trace};
