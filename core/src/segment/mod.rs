//! Where finished spans wait for the agent thread: segments of 32 KiB, one
//! being filled by each thread, all of them from one bounded pool.
//!
//! Recording a span is a copy and a release store. The pool's lock is taken
//! once a segment. What is full waits in the order in which it was filled, is
//! read by the agent thread, and is used again when the agent has acknowledged
//! it; when there is no room left, the oldest goes.

mod backlog;
mod pool;
#[cfg(test)]
mod tests;
mod words;
mod writer;

pub(crate) use self::backlog::{Backlog, Portion};
pub(crate) use self::pool::{Counts, Pool, PoolGuard};
pub(crate) use self::writer::Writer;

/// Bytes of a segment.
pub(crate) const SEGMENT: usize = 32 * 1024;

/// Bytes of a thread's first one: most threads of a process record little, and
/// hold what they have while they live.
const FIRST: usize = 4 * 1024;

/// The process's pool.
pub(crate) static POOL: Pool = Pool::new();
