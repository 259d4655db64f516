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
//! On Linux with glibc, an allocation costs some additions to counters of its thread: no
//! atomic read-modify-write and no line that other threads write.
//! `cargo run --release -p instana --example metered` measures it. Elsewhere an allocator
//! must not ask for what belongs to a thread: there, it is two atomic additions to
//! counters that some threads share, and entries have no `allocated_bytes`.
#![expect(
    unsafe_code,
    reason = "GlobalAlloc is an unsafe trait; each call below is handed on as it came"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod threads;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[path = "threads_none.rs"]
mod threads;

pub(crate) use self::threads::{allocated_by_thread, are_threads_metered};

/// Counters that threads share, so many that few do at a time.
static SHARED: [Shared; 16] = [const { Shared(Slot::new()) }; 16];

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
// allocates nor unwinds: it touches statics, and on one platform what `threads` says.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Metered<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same rules.
        let memory = unsafe { self.0.alloc(layout) };
        if !memory.is_null() {
            threads::count(layout.size(), 0);
        }
        memory
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        threads::count(0, layout.size());
        // SAFETY: the caller keeps to the same rules.
        unsafe { self.0.dealloc(memory, layout) };
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same rules.
        let memory = unsafe { self.0.alloc_zeroed(layout) };
        if !memory.is_null() {
            threads::count(layout.size(), 0);
        }
        memory
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps to the same rules.
        let moved = unsafe { self.0.realloc(memory, layout, size) };
        if !moved.is_null() {
            threads::count(size, layout.size());
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
    let mut sum = Counts::default();
    let shared = SHARED.iter().map(|shared| &shared.0);
    for slot in threads::own().chain(shared) {
        // What was allocated is read last: nothing lives that was not allocated.
        sum.deallocations += slot.deallocations.load(Ordering::Relaxed);
        sum.deallocated += slot.deallocated.load(Ordering::Relaxed);
        sum.allocations += slot.allocations.load(Ordering::Relaxed);
        sum.allocated += slot.allocated.load(Ordering::Relaxed);
    }
    (sum.allocations > 0).then_some(sum)
}

/// Counts bytes that came, bytes that went, or both, by a thread without a slot.
fn count_shared(allocated: usize, deallocated: usize) {
    // Each thread has a stack of its own, and asking for nothing else is always allowed.
    let stack = &raw const allocated as usize;
    let hash = (stack >> 16).wrapping_mul(0x9e37_79b9) >> 8;
    if let Some(Shared(slot)) = SHARED.get(hash % SHARED.len()) {
        slot.count_shared(allocated, deallocated);
    }
}

/// On cache lines of its own.
#[repr(align(128))]
struct Shared(Slot);

struct Slot {
    allocations: AtomicU64,
    deallocations: AtomicU64,
    allocated: AtomicU64,
    deallocated: AtomicU64,
}

impl Slot {
    const fn new() -> Self {
        Self {
            allocations: AtomicU64::new(0),
            deallocations: AtomicU64::new(0),
            allocated: AtomicU64::new(0),
            deallocated: AtomicU64::new(0),
        }
    }

    /// By any thread.
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

#[cfg(test)]
mod tests;
