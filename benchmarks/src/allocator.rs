//! The system's allocator, with a count of what the measured code and what all
//! other threads ask it for.
#![expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; this one only hands on"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    static MEASURED: Cell<bool> = const { Cell::new(false) };
}

static HOT: Counter = Counter::new();
static BACKGROUND: Counter = Counter::new();

/// The counting allocator.
#[derive(Debug)]
pub struct Counting;

/// Allocations and their bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocations {
    /// Calls that gave memory: `alloc`, `alloc_zeroed`, `realloc`.
    pub count: u64,
    /// Bytes asked for.
    pub bytes: u64,
}

#[derive(Debug)]
struct Counter {
    count: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    const fn new() -> Self {
        Self {
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn add(&self, bytes: usize) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn read(&self) -> Allocations {
        Allocations {
            count: self.count.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// Runs the measured code: what it allocates on this thread is hot, everything
/// else in the background.
pub fn measured<R>(f: impl FnOnce() -> R) -> R {
    MEASURED.set(true);
    let result = f();
    MEASURED.set(false);
    result
}

/// Hot and background allocations so far.
pub fn read() -> (Allocations, Allocations) {
    (HOT.read(), BACKGROUND.read())
}

fn note(bytes: usize) {
    if MEASURED.try_with(Cell::get).unwrap_or(false) {
        HOT.add(bytes);
    } else {
        BACKGROUND.add(bytes);
    }
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}
