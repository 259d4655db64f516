//! Two threads that record without pause, until the time is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process;
use crate::work::Library;

const THREADS: usize = 2;

/// Spans of one request.
const SPANS: u64 = 4;

/// Requests between two looks at the time.
const STRIDE: u64 = 100;

/// Runs the typical request on two threads for so long. Everything that can
/// still be exported is, before the counts are taken.
pub(crate) fn run<L: Library>(library: &L, time: Duration) -> Value {
    let before = process::resident();
    let (earlier, start) = (library.counts(), Instant::now());
    let stop = AtomicBool::new(false);
    let threads: Vec<(u64, u64)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| record(library, &stop)))
            .collect();
        thread::sleep(time);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|t| t.join().ok()).collect()
    });
    let took = start.elapsed();
    let exported_meanwhile = library.counts().exported - earlier.exported;
    library.drain();
    let all = start.elapsed();
    let counts = library.counts();
    let spans: u64 = threads.iter().map(|(spans, _)| spans).sum();
    let cpu: u64 = threads.iter().map(|(_, cpu)| cpu).sum();
    json!({
        "seconds": took.as_secs_f64(),
        "seconds_with_drain": all.as_secs_f64(),
        "ended": spans,
        "exported": counts.exported - earlier.exported,
        "exported_meanwhile": exported_meanwhile,
        "recorded": counts.recorded,
        "dropped": counts.dropped,
        "cpu_ns_per_span": cpu as f64 / spans.max(1) as f64,
        "peak_kib": process::resident_peak() - before,
    })
}

/// Spans, and CPU time of the thread.
fn record<L: Library>(library: &L, stop: &AtomicBool) -> (u64, u64) {
    let incoming = library.incoming(true);
    let start = process::thread_cpu();
    let mut spans = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..STRIDE {
            library.request(&incoming);
        }
        spans += STRIDE * SPANS;
    }
    (spans, process::thread_cpu() - start)
}
