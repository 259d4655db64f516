//! What every layer may use: time, ids, JSON, texts, log lines, memory, descriptors and
//! the addresses of a stack. Nothing here knows what a span is.

pub mod alloc;
pub(crate) mod clock;
#[cfg(unix)]
pub(crate) mod descriptor;
#[cfg(not(unix))]
#[path = "descriptor_portable.rs"]
pub(crate) mod descriptor;
pub(crate) mod executable;
pub(crate) mod external;
pub(crate) mod id;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod losses;
pub(crate) mod memory;
pub(crate) mod stack;
pub(crate) mod text;
pub(crate) mod threads;
