//! Tracing: the context of the running code, its way through headers and messages, and
//! the spans that users and instrumentation start.

pub(crate) mod context;
pub mod future;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod macros;
pub mod propagation;
pub mod span;
