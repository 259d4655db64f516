//! No counters for a thread alone.

use crate::base::alloc::{Slot, count_shared};

pub(crate) fn are_threads_metered() -> bool {
    false
}

pub(crate) fn allocated_by_thread() -> Option<u64> {
    None
}

pub(super) fn own() -> impl Iterator<Item = &'static Slot> {
    std::iter::empty()
}

pub(super) fn count(allocated: usize, deallocated: usize) {
    count_shared(allocated, deallocated);
}
