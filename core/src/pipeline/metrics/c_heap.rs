//! The heap of the C library as a source, for those who ask for it: reading it stops the
//! application.

use std::time::{Duration, Instant};

use crate::pipeline::metrics::ffi;
use crate::pipeline::metrics::registry::{Registration, register};
use crate::pipeline::metrics::source::{Readings, Source};
use crate::pipeline::metrics::source_thread::LIMIT;

/// How much longer than the call the pause behind it is.
const PAUSE: u32 = 1_000;
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// The call is not made any more when it has taken longer than a source may so often.
const MAX_SLOW: u8 = 2;

/// Samples it from now on.
pub(crate) fn register_c_heap() -> Registration {
    register("glibc", CHeap::default())
}

#[derive(Debug, Default)]
struct CHeap {
    last: Option<Last>,
    slow: u8,
}

/// What was read last stays in force during the pause.
#[derive(Clone, Copy, Debug)]
struct Last {
    /// Bytes in use, and mapped.
    bytes: Option<(u64, u64)>,
    took: Duration,
    next: Instant,
}

impl CHeap {
    fn read(&mut self, now: Instant, heap: impl FnOnce() -> Option<(u64, u64)>) -> Last {
        if let Some(last) = self.last.filter(|last| now < last.next) {
            return last;
        }
        let begin = Instant::now();
        let bytes = heap();
        let took = begin.elapsed();
        self.slow += u8::from(took > LIMIT);
        let pause = took.saturating_mul(PAUSE).min(LONGEST_PAUSE);
        let last = Last {
            bytes,
            took,
            next: now + pause,
        };
        self.last = Some(last);
        last
    }
}

impl Source for CHeap {
    fn sample(&mut self, readings: &mut Readings) {
        let last = self.read(Instant::now(), ffi::c_heap);
        if self.is_over() {
            let text = format!(
                "to read the heap of glibc took {} ms, in which nobody could allocate; it is \
                 not read any more",
                last.took.as_millis()
            );
            return readings.problem("The heap of glibc has too many pieces", &text);
        }
        if let Some((in_use, mapped)) = last.bytes {
            readings.gauge("in_use", "bytes", in_use);
            readings.gauge("mapped", "bytes", mapped);
            readings.gauge("took", "ms", last.took.as_secs_f64() * 1_000.0);
        }
    }

    fn is_over(&self) -> bool {
        self.slow >= MAX_SLOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(time: Duration) -> impl FnOnce() -> Option<(u64, u64)> {
        move || {
            let begin = Instant::now();
            while begin.elapsed() <= time {}
            Some((1, 2))
        }
    }

    #[test]
    fn the_second_call_that_takes_too_long_is_the_last() {
        let mut source = CHeap::default();
        let mut now = Instant::now();
        for calls in 1..=MAX_SLOW {
            assert!(!source.is_over());
            now = source.read(now, slow(LIMIT)).next;
            assert_eq!(source.slow, calls);
        }
        let mut readings = Readings::default();
        source.sample(&mut readings);
        assert_eq!(readings.names().count(), 0);
    }

    #[test]
    fn a_call_that_takes_long_is_made_seldom() {
        let mut source = CHeap::default();
        let start = Instant::now();
        let slow = slow(Duration::from_millis(5));
        assert_eq!(source.read(start, slow).bytes, Some((1, 2)));
        let at = |seconds| start + Duration::from_secs(seconds);
        let not_called = || -> Option<(u64, u64)> { unreachable!("it pauses") };
        assert_eq!(source.read(at(4), not_called).bytes, Some((1, 2)));
        let late = source.last.unwrap().next;
        assert_eq!(source.read(late, || Some((3, 4))).bytes, Some((3, 4)));
    }
}
