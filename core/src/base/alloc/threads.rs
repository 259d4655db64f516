//! Counters that each thread has for itself.
//!
//! A thread-local value without a destructor is memory that is there anyway. One with a
//! destructor is registered with glibc, which allocates for that by itself; other
//! platforms ask the global allocator, which is the one that asks.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::base::alloc::{Slot, count_shared};

/// Threads with counters of their own at a time; further ones share some.
const SLOTS: usize = 256;

/// A thread that has no slot yet, and one that has none any more.
const NONE_YET: usize = usize::MAX;
const NONE: usize = usize::MAX - 1;

static OWN: [Own; SLOTS] = [const { Own::new() }; SLOTS];

/// Slots that were in use so far: the others were never touched.
static USED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    // Without a destructor, so that asking for it costs nothing.
    static SLOT: Cell<usize> = const { Cell::new(NONE_YET) };
    static END: End = const { End };
}

/// On cache lines of its own. A slot is written by the thread that has it only; what was
/// counted stays when the next thread gets it.
#[repr(align(128))]
struct Own {
    slot: Slot,
    is_taken: AtomicBool,
}

impl Own {
    const fn new() -> Self {
        Self {
            slot: Slot::new(),
            is_taken: AtomicBool::new(false),
        }
    }

    /// By the thread that has it.
    #[inline]
    fn count(&self, allocated: usize, deallocated: usize) {
        let add = |counter: &AtomicU64, count: u64| {
            let sum = counter.load(Ordering::Relaxed).wrapping_add(count);
            counter.store(sum, Ordering::Relaxed);
        };
        if allocated > 0 {
            add(&self.slot.allocations, 1);
            add(&self.slot.allocated, allocated as u64);
        }
        if deallocated > 0 {
            add(&self.slot.deallocations, 1);
            add(&self.slot.deallocated, deallocated as u64);
        }
    }
}

/// True where an allocator is metered: a process has allocated something by then.
pub(crate) fn are_threads_metered() -> bool {
    USED.load(Ordering::Relaxed) > 0
}

/// Bytes that this thread has allocated; `None` where that is not known.
#[inline]
pub(crate) fn allocated_by_thread() -> Option<u64> {
    let own = OWN.get(SLOT.try_with(Cell::get).ok()?)?;
    Some(own.slot.allocated.load(Ordering::Relaxed))
}

pub(super) fn own() -> impl Iterator<Item = &'static Slot> {
    let used = USED.load(Ordering::Acquire);
    OWN.iter().take(used).map(|own| &own.slot)
}

/// Counts bytes that came, bytes that went, or both.
#[inline]
pub(super) fn count(allocated: usize, deallocated: usize) {
    let slot = SLOT.try_with(Cell::get).unwrap_or(NONE);
    match OWN.get(slot) {
        Some(own) => own.count(allocated, deallocated),
        None => count_otherwise(slot, allocated, deallocated),
    }
}

#[cold]
#[inline(never)]
fn count_otherwise(slot: usize, allocated: usize, deallocated: usize) {
    count_shared(allocated, deallocated);
    if slot == NONE_YET {
        // What comes in between is counted without a slot.
        let set = |slot| {
            let _ = SLOT.try_with(|own| own.set(slot));
        };
        set(NONE);
        // A thread whose end is not noticed would keep its slot.
        if END.try_with(|_| ()).is_ok() {
            set(take().unwrap_or(NONE));
        }
    }
}

fn take() -> Option<usize> {
    let is_free = |own: &Own| {
        !own.is_taken.load(Ordering::Relaxed) && !own.is_taken.swap(true, Ordering::Acquire)
    };
    let slot = OWN.iter().position(is_free)?;
    USED.fetch_max(slot + 1, Ordering::AcqRel);
    Some(slot)
}

#[cfg(test)]
pub(super) fn taken() -> usize {
    let is_taken = |own: &&Own| own.is_taken.load(Ordering::Relaxed);
    OWN.iter().filter(is_taken).count()
}

/// The end of a thread.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        let slot = SLOT.try_with(|slot| slot.replace(NONE));
        if let Some(own) = slot.ok().and_then(|slot| OWN.get(slot)) {
            own.is_taken.store(false, Ordering::Release);
        }
    }
}
