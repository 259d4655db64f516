//! What the application allocates: counted by [`Metered`], a wrapper of its global
//! allocator.
//!
//! ```
//! use std::alloc::System;
//! use instana::alloc::Metered;
//!
//! #[global_allocator]
//! static ALLOCATOR: Metered<System> = Metered::new(System);
//! ```
//!
//! With it, the metrics of each second have the allocations and the bytes so far, and
//! those that live, and each entry has the tag `allocated_bytes`: what was allocated in
//! its polls (not in other tasks, nor in blocking ones). For that, the polls of entries
//! are looked at as with poll timing, which is the larger part of the cost.
//!
//! An allocation costs some additions to counters of its thread: no atomic
//! read-modify-write and no line that other threads write.
//! `cargo run --release -p instana --example metered` measures it.
#![expect(
    unsafe_code,
    reason = "GlobalAlloc is an unsafe trait; each call below is handed on as it came"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Threads with counters of their own at a time; further ones share some.
const SLOTS: usize = 256;

/// A thread that has no slot yet, and one that has none any more.
const NONE_YET: usize = usize::MAX;
const SHARED: usize = usize::MAX - 1;

static OWN: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];
static COMMON: Slot = Slot::new();

/// Slots that were in use so far: the others were never touched.
static USED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    // Without a destructor, so that asking for it costs nothing.
    static SLOT: Cell<usize> = const { Cell::new(NONE_YET) };
    static END: End = const { End };
}

/// Counts what goes through a global allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metered<A>(A);

impl<A> Metered<A> {
    /// Counts the allocations of `allocator`.
    pub const fn new(allocator: A) -> Self {
        Self(allocator)
    }
}

// SAFETY: every call is answered by the wrapped allocator, unchanged. Counting neither
// allocates nor unwinds: it touches statics and a thread-local value without a
// destructor. That a thread gets its slot registers a destructor once, while the thread
// counts into the common slot, so that it may allocate.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Metered<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same rules.
        let memory = unsafe { self.0.alloc(layout) };
        if !memory.is_null() {
            count(layout.size(), 0);
        }
        memory
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller keeps to the same rules.
        unsafe { self.0.dealloc(memory, layout) };
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same rules.
        let memory = unsafe { self.0.alloc_zeroed(layout) };
        if !memory.is_null() {
            count(layout.size(), 0);
        }
        memory
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps to the same rules.
        let moved = unsafe { self.0.realloc(memory, layout, size) };
        if !moved.is_null() {
            count(size, layout.size());
        }
        moved
    }
}

/// What was counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) allocations: u64,
    pub(crate) deallocations: u64,
    /// Bytes.
    pub(crate) allocated: u64,
    pub(crate) deallocated: u64,
}

impl Counts {
    /// Bytes that are in use. Counters are read one after the other.
    pub(crate) fn live(self) -> u64 {
        self.allocated.saturating_sub(self.deallocated)
    }

    pub(crate) fn live_objects(self) -> u64 {
        self.allocations.saturating_sub(self.deallocations)
    }
}

/// Of the whole process; `None` where no allocator is metered.
pub(crate) fn counts() -> Option<Counts> {
    let used = USED.load(Ordering::Acquire);
    let slots = OWN.iter().take(used).chain([&COMMON]);
    let mut sum = Counts::default();
    for slot in slots {
        // What was allocated is read last: nothing lives that was not allocated.
        sum.deallocations += slot.deallocations.load(Ordering::Relaxed);
        sum.deallocated += slot.deallocated.load(Ordering::Relaxed);
        sum.allocations += slot.allocations.load(Ordering::Relaxed);
        sum.allocated += slot.allocated.load(Ordering::Relaxed);
    }
    (sum.allocations > 0).then_some(sum)
}

/// True where an allocator is metered: a process has allocated something by then.
pub(crate) fn is_metered() -> bool {
    USED.load(Ordering::Relaxed) > 0
}

/// Bytes that this thread has allocated; 0 where that is not known.
#[inline]
pub(crate) fn allocated_by_thread() -> u64 {
    let slot = SLOT.try_with(Cell::get).unwrap_or(SHARED);
    let slot = OWN.get(slot);
    slot.map_or(0, |slot| slot.allocated.load(Ordering::Relaxed))
}

/// On cache lines of its own. A slot is written by the thread that has it only; what
/// was counted stays when the next thread gets it.
#[repr(align(128))]
struct Slot {
    is_taken: AtomicBool,
    allocations: AtomicU64,
    deallocations: AtomicU64,
    allocated: AtomicU64,
    deallocated: AtomicU64,
}

impl Slot {
    const fn new() -> Self {
        Self {
            is_taken: AtomicBool::new(false),
            allocations: AtomicU64::new(0),
            deallocations: AtomicU64::new(0),
            allocated: AtomicU64::new(0),
            deallocated: AtomicU64::new(0),
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
            add(&self.allocations, 1);
            add(&self.allocated, allocated as u64);
        }
        if deallocated > 0 {
            add(&self.deallocations, 1);
            add(&self.deallocated, deallocated as u64);
        }
    }

    /// By any thread.
    #[cold]
    fn count_shared(&self, allocated: usize, deallocated: usize) {
        if allocated > 0 {
            self.allocations.fetch_add(1, Ordering::Relaxed);
            self.allocated
                .fetch_add(allocated as u64, Ordering::Relaxed);
        }
        if deallocated > 0 {
            self.deallocations.fetch_add(1, Ordering::Relaxed);
            self.deallocated
                .fetch_add(deallocated as u64, Ordering::Relaxed);
        }
    }
}

/// Counts bytes that came, bytes that went, or both.
#[inline]
fn count(allocated: usize, deallocated: usize) {
    let slot = SLOT.try_with(Cell::get).unwrap_or(SHARED);
    match OWN.get(slot) {
        Some(slot) => slot.count(allocated, deallocated),
        None => count_otherwise(slot, allocated, deallocated),
    }
}

#[cold]
#[inline(never)]
fn count_otherwise(slot: usize, allocated: usize, deallocated: usize) {
    COMMON.count_shared(allocated, deallocated);
    if slot == NONE_YET {
        // Meanwhile, and for good where there is none, it counts into the common one.
        let set = |slot| {
            let _ = SLOT.try_with(|own| own.set(slot));
        };
        set(SHARED);
        // A thread whose end is not noticed would keep its slot.
        if END.try_with(|_| ()).is_ok() {
            set(take_slot().unwrap_or(SHARED));
        }
    }
}

fn take_slot() -> Option<usize> {
    let is_free = |slot: &Slot| {
        !slot.is_taken.load(Ordering::Relaxed) && !slot.is_taken.swap(true, Ordering::Acquire)
    };
    let slot = OWN.iter().position(is_free)?;
    USED.fetch_max(slot + 1, Ordering::AcqRel);
    Some(slot)
}

/// The end of a thread.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        let slot = SLOT.try_with(|slot| slot.replace(SHARED));
        if let Some(slot) = slot.ok().and_then(|slot| OWN.get(slot)) {
            slot.is_taken.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
