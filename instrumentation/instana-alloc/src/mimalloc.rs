//! The metrics of mimalloc.
#![expect(
    unsafe_code,
    reason = "mimalloc's crates have no safe way to its figures; the one call below takes pointers to results"
)]

use std::ptr;

use instana::metrics::{self, Readings, Registration, Source};

/// The heap metrics of mimalloc.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mimalloc;

impl Mimalloc {
    /// Sends them from now on, as the source `mimalloc`.
    pub fn register(self) -> Registration {
        metrics::register("mimalloc", self)
    }
}

impl Source for Mimalloc {
    fn sample(&mut self, readings: &mut Readings) {
        let (committed, peak) = committed();
        readings.gauge("mapped", "bytes", committed);
        readings.gauge("peak", "bytes", peak);
    }
}

/// Bytes that are committed, and the most that were.
fn committed() -> (usize, usize) {
    let (mut current, mut peak) = (0, 0);
    let none = ptr::null_mut();
    // SAFETY: each pointer is null, for a result that nobody wants, or valid for writes
    // of one `usize` during the call.
    unsafe {
        libmimalloc_sys::mi_process_info(
            none,
            none,
            none,
            none,
            none,
            &raw mut current,
            &raw mut peak,
            none,
        );
    }
    (current, peak)
}
