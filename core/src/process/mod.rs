//! The process's tracer: how it is started, what ties it together, and what it says of
//! itself.

mod agent;
mod builder;
mod error;
#[cfg(unix)]
mod fork;
#[cfg(unix)]
mod fork_locks;
#[cfg(any(feature = "log", feature = "tracing"))]
pub mod logger;
mod merge;
mod running;
mod status;
mod wake;

pub use self::builder::{Builder, Guard, builder, flush, init};
pub use self::error::InitError;
pub use self::status::{Status, status};
