//! Wall time on the calling thread.

use std::time::Instant;

use crate::count::Prepared;
use crate::work::{Library, Scenario};

/// Nanoseconds per iteration, the median of `bursts`; what was recorded is
/// drained between them, outside of the timing.
pub(crate) fn median<L: Library>(library: &L, scenario: Scenario, bursts: u64) -> Option<f64> {
    let mut prepared = Prepared::new(library, scenario)?;
    prepared.burst();
    library.drain();
    let mut times = Vec::new();
    for _ in 0..bursts.max(1) {
        prepared.refill();
        let start = Instant::now();
        prepared.run();
        times.push(start.elapsed().as_nanos() as f64 / scenario.burst() as f64);
        library.drain();
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
