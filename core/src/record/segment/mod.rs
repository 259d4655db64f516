//! Where finished spans wait for the agent thread: segments of 32 KiB, one
//! being filled by each thread, all of them from one bounded pool.
//!
//! Recording a span is a copy and a release store. The pool's lock is taken
//! once a segment, and nobody has it for long. What is full waits in the order in which it was filled, is
//! read by the agent thread, and is used again when the agent has acknowledged
//! it; when there is no room left, the oldest goes.

mod backlog;
mod counts;
mod pool;
#[expect(
    clippy::module_inception,
    reason = "the file holds the type that the folder is named for"
)]
mod segment;
mod segments;
mod slots;
#[cfg(not(all(test, loom)))]
mod sync;
#[cfg(all(test, loom))]
#[path = "sync_loom.rs"]
mod sync;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod thread;
mod thread_writer;

pub(crate) use self::backlog::{Backlog, Portion, Portions, Unsent};
pub(crate) use self::pool::{Pool, PoolGuard};
pub(crate) use self::thread_writer::Writer;

/// The process's pool.
#[cfg(not(all(test, loom)))]
pub(crate) static POOL: Pool = Pool::new();

#[cfg(all(test, loom))]
loom::lazy_static! {
    pub(crate) static ref POOL: Pool = Pool::new();
}
