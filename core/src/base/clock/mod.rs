//! Two clocks: ticks for the callers, wall-clock milliseconds for the wire.
//!
//! A span costs two readings, so they are the time-stamp counter where the
//! processor keeps it constant and the system trusts it, and nanoseconds of
//! `Instant` elsewhere. What a tick is worth is worked out on the agent thread.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[cfg(all(target_arch = "x86_64", not(miri), not(loom)))]
mod counter_x86_64;
#[cfg(all(target_arch = "x86_64", not(miri), not(loom)))]
use counter_x86_64 as counter;

#[cfg(not(all(target_arch = "x86_64", not(miri), not(loom))))]
mod counter_instant;
#[cfg(not(all(target_arch = "x86_64", not(miri), not(loom))))]
use counter_instant as counter;

/// Now, in ticks of an unknown but constant length.
#[inline]
pub(crate) fn ticks() -> u64 {
    counter::ticks()
}

/// The first reading of both clocks in this process: the longer ago it is, the
/// better the length of a tick is known.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    ticks: u64,
    instant: Instant,
}

impl Anchor {
    /// Both clocks as close together as three attempts get them: a thread that
    /// is interrupted in between would spoil the measurement.
    fn now() -> Self {
        let mut best = (u64::MAX, Self::once());
        for _ in 0..3 {
            let anchor = Self::once();
            let gap = ticks().wrapping_sub(anchor.ticks);
            if gap < best.0 {
                best = (gap, anchor);
            }
        }
        best.1
    }

    fn once() -> Self {
        Self {
            ticks: ticks(),
            instant: Instant::now(),
        }
    }

    fn first() -> &'static Self {
        static FIRST: OnceLock<Anchor> = OnceLock::new();
        FIRST.get_or_init(Self::now)
    }
}

/// Starts the measurement of a tick's length; called when a tracer starts.
pub(crate) fn start() {
    Anchor::first();
}

/// Milliseconds from the reading `earlier` until now.
pub(crate) fn millis_since(earlier: u64) -> u64 {
    tick().millis(earlier, ticks())
}

/// How many ticks so long a time is.
pub(crate) fn ticks_of(duration: Duration) -> u64 {
    (duration.as_nanos() as f64 / tick().nanos_per_tick) as u64
}

/// A timeline that knows the length of a tick, and need not know the time of day.
fn tick() -> Timeline {
    match f64::from_bits(KNOWN.load(Ordering::Relaxed)) {
        0.0 => Timeline::now(),
        nanos_per_tick => Timeline {
            ticks: 0,
            unix_nanos: 0,
            nanos_per_tick,
        },
    }
}

/// The length of a tick in nanoseconds, as bits of an `f64`; 0: not yet known.
static KNOWN: AtomicU64 = AtomicU64::new(0);

/// How often a clock that stands still is looked at.
const ATTEMPTS: usize = 1_000;

/// Turns ticks into wall-clock milliseconds, as of the moment it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeline {
    ticks: u64,
    /// Since the epoch: enough until the year 2554.
    unix_nanos: u64,
    nanos_per_tick: f64,
}

impl Timeline {
    pub(crate) fn now() -> Self {
        let first = Anchor::first();
        let mut now = Anchor::now();
        // In the process's first moments a short wait makes the length of a
        // tick known to a thousandth.
        for _ in 0..ATTEMPTS {
            if now.instant - first.instant >= Duration::from_micros(50) {
                break;
            }
            std::thread::yield_now();
            now = Anchor::now();
        }
        Self::between(first, &now, unix_time(), &KNOWN)
    }

    /// Some systems restart the counter when they wake up: then the length that
    /// was known before holds.
    fn between(first: &Anchor, now: &Anchor, unix: Duration, known: &AtomicU64) -> Self {
        let ticks = now.ticks.saturating_sub(first.ticks);
        let nanos = (now.instant - first.instant).as_nanos();
        let before = f64::from_bits(known.load(Ordering::Relaxed));
        let measured = nanos as f64 / ticks.max(1) as f64;
        let is_plausible =
            ticks > 0 && (before == 0.0 || (0.5..2.0).contains(&(measured / before)));
        if is_plausible {
            known.store(measured.to_bits(), Ordering::Relaxed);
        }
        Self {
            ticks: now.ticks,
            unix_nanos: u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX),
            nanos_per_tick: if is_plausible { measured } else { before },
        }
    }

    /// Milliseconds since the epoch at the reading `ticks`.
    pub(crate) fn unix_millis(&self, ticks: u64) -> u64 {
        let offset = self.nanos(ticks.abs_diff(self.ticks));
        let nanos = if ticks <= self.ticks {
            self.unix_nanos.saturating_sub(offset)
        } else {
            self.unix_nanos.saturating_add(offset)
        };
        nanos / 1_000_000
    }

    /// Whole milliseconds between two readings, rounded; 0 where they are reversed.
    pub(crate) fn millis(&self, from: u64, to: u64) -> u64 {
        self.nanos(to.saturating_sub(from)).saturating_add(500_000) / 1_000_000
    }

    /// How long so many ticks are.
    pub(crate) fn duration(&self, ticks: u64) -> Duration {
        Duration::from_nanos(self.nanos(ticks))
    }

    fn nanos(&self, ticks: u64) -> u64 {
        (ticks as f64 * self.nanos_per_tick) as u64
    }
}

/// Time since the Unix epoch; zero where the system's clock is before it.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the wall clock is read"
)]
pub(crate) fn unix_time() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_never_go_back_on_a_thread() {
        let mut last = ticks();
        for _ in 0..10_000 {
            let next = ticks();
            assert!(next >= last);
            last = next;
        }
    }

    #[test]
    fn a_counter_that_was_restarted_keeps_the_length_of_its_ticks() {
        let start = Instant::now();
        let at = |ticks, seconds| Anchor {
            ticks,
            instant: start + Duration::from_secs(seconds),
        };
        let (unix, known) = (Duration::from_secs(1_000), AtomicU64::new(0));
        let first = at(9_000_000, 0);
        let before = Timeline::between(&first, &at(12_000_000, 3_000), unix, &known);
        assert_eq!(before.millis(9_000_000, 9_000_500), 500);
        let after = Timeline::between(&first, &at(8_000, 4_000), unix, &known);
        assert_eq!(after.millis(7_500, 8_000), 500);
        assert_eq!(after.unix_millis(7_000), 999_000);
        let later = Timeline::between(&first, &at(9_000_100, 12_000), unix, &known);
        assert_eq!(later.millis(9_000_000, 9_000_100), 100);
    }

    /// Two clocks are compared: a thread that is stopped between them tries again.
    fn some_attempt(attempt: impl Fn() -> Result<(), String>) {
        let failed: Vec<_> = (0..20).map_while(|_| attempt().err()).collect();
        assert!(failed.len() < 20, "{failed:?}");
    }

    #[test]
    fn a_reading_is_turned_into_the_time_of_day() {
        start();
        // The clocks' rates may differ by a hair: 2 ms are allowed.
        some_attempt(|| {
            let (before, reading, after) = (unix_time(), ticks(), unix_time());
            let at = Timeline::now().unix_millis(reading);
            let is_between =
                at + 2 >= before.as_millis() as u64 && at <= after.as_millis() as u64 + 2;
            is_between
                .then_some(())
                .ok_or(format!("{before:?} {at} {after:?}"))
        });
    }

    #[test]
    fn durations_are_those_of_the_monotonic_clock() {
        start();
        some_attempt(|| {
            let (from, instant) = (ticks(), Instant::now());
            while instant.elapsed() < Duration::from_millis(20) {}
            let (to, elapsed) = (ticks(), instant.elapsed());
            assert_eq!(Timeline::now().millis(to, from), 0, "reversed readings");
            let measured = Timeline::now().millis(from, to);
            let is_close = measured.abs_diff(elapsed.as_millis() as u64) <= 1;
            is_close
                .then_some(())
                .ok_or(format!("{measured} ms for {elapsed:?}"))
        });
    }
}
