//! Nanoseconds of the monotonic clock, counted from the first reading.

use std::sync::OnceLock;
use std::time::Instant;

#[inline]
pub(super) fn ticks() -> u64 {
    static BASE: OnceLock<Instant> = OnceLock::new();
    // Never 0, which stands for "not started".
    BASE.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}
