//! What the segments share between threads is made of. `sync_loom.rs` is the
//! same for loom, which tries all orders in which threads may run.

pub(super) use std::sync::atomic::{AtomicU32, Ordering};
pub(super) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::ops::Range;

/// Bytes of a segment.
pub(super) const SEGMENT: usize = 32 * 1024;

/// Bytes of a thread's first one: most threads of a process record little, and
/// hold what they have while they live.
pub(super) const FIRST: usize = 4 * 1024;

/// Watches which words of a segment are touched; here, it ignores them.
#[derive(Debug)]
pub(super) struct Watch;

impl Watch {
    pub(super) fn new(_words: usize) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) fn read(&self, _words: Range<usize>) {}

    #[inline(always)]
    pub(super) fn written(&self, _words: Range<usize>) {}
}
