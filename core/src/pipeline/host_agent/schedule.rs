//! When things are due: retries, spans, events, and the grid of everything periodic.
//! Pure; times are durations since the agent thread started.

use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// While somebody waits for a flush, failed steps are tried again this soon.
pub(crate) const HURRY: Duration = Duration::from_millis(50);
/// The first pause between attempts. Each is twice as long as the one before, up to a
/// second: most agents that do not know a process yet soon do.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// For this long after the start, or after the agent was lost or found; later the delay
/// between announces grows by half up to its cap.
const EAGER: Duration = Duration::from_secs(60);
const MAX_DELAY: Duration = Duration::from_secs(10);
/// The longest time between two lookups: an agent that appears is found within a second.
const LOOKUP_DELAY: Duration = Duration::from_millis(900);
/// An event that is refused for good this often is given up.
const REJECTIONS: u32 = 3;

/// The delays between attempts at lookup and announce.
#[derive(Debug)]
pub(crate) struct Retry {
    since: Duration,
    delay: Duration,
}

impl Retry {
    /// Eager from `since` on.
    pub(crate) fn from(since: Duration) -> Self {
        Self {
            since,
            delay: FIRST_DELAY,
        }
    }

    /// The delay before the next announce, up to a tenth shorter. `jitter` is between 0
    /// and 1.
    pub(crate) fn announce(&mut self, now: Duration, jitter: f64) -> Duration {
        let delay = self.delay;
        let is_eager = now.saturating_sub(self.since) < EAGER;
        self.delay = if is_eager || delay < SECOND {
            (delay * 2).min(SECOND)
        } else {
            (delay * 3 / 2).min(MAX_DELAY)
        };
        shortened(delay, jitter)
    }

    /// The delay before the next lookup, from the beginning of the last.
    pub(crate) fn lookup(&mut self, now: Duration, jitter: f64) -> Duration {
        self.announce(now, jitter)
            .min(shortened(LOOKUP_DELAY, jitter))
    }
}

/// The delay before the next of so many checks whether the agent is ready.
pub(crate) fn readiness(checks: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(checks.saturating_sub(1).min(8));
    (HURRY * doubled).min(SECOND)
}

fn shortened(delay: Duration, jitter: f64) -> Duration {
    delay.mul_f64(0.9 + 0.1 * jitter.clamp(0.0, 1.0))
}

/// How soon a batch that was not accepted is followed by another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once: it is a smaller one.
    Now,
    /// After 50 ms, and twice as long each time, while none is accepted.
    Soon,
    /// After a second, and twice as long each time.
    Later,
}

/// When batches (of spans, or of one event) are sent: once an interval, at once
/// while there are many, later and later while they are refused.
#[derive(Debug)]
pub(crate) struct Deliveries {
    interval: Duration,
    due: Duration,
    tried: Duration,
    draining: bool,
    failures: u32,
    /// Failures that were followed by another batch soon.
    soon: u32,
    rejections: u32,
}

impl Deliveries {
    /// Due from `now` on, nothing refused.
    pub(crate) fn at(now: Duration, interval: Duration) -> Self {
        Self {
            interval,
            due: now,
            tried: now,
            draining: false,
            failures: 0,
            soon: 0,
            rejections: 0,
        }
    }

    /// Due from `now` on, nothing refused.
    pub(crate) fn restart(&mut self, now: Duration) {
        *self = Self::at(now, self.interval);
    }

    /// When the next batch is due. Much to send does not shorten the delay after a
    /// failure, a hurry does.
    pub(crate) fn due(&self, many: bool, hurry: bool) -> Duration {
        if self.failures > 0 {
            return if hurry {
                self.due.min(self.tried + HURRY)
            } else {
                self.due
            };
        }
        if hurry || many || self.draining {
            return Duration::ZERO;
        }
        self.due
    }

    /// A batch is being sent.
    pub(crate) fn sent(&mut self, now: Duration) {
        self.tried = now;
    }

    /// The batch was accepted; `drained` if the rest can wait for the next tick.
    pub(crate) fn accepted(&mut self, now: Duration, drained: bool) {
        self.failures = 0;
        self.soon = 0;
        self.rejections = 0;
        self.draining = !drained;
        if drained {
            self.due = next_on_grid(self.due, self.interval, now);
        }
    }

    /// The batch was refused: another one, or the same, follows at this pace.
    pub(crate) fn refused(&mut self, now: Duration, pace: Pace) {
        self.draining = pace == Pace::Now;
        let delay = match pace {
            Pace::Now => Duration::ZERO,
            Pace::Soon => {
                self.soon = self.soon.saturating_add(1);
                self.failures = self.failures.max(1);
                HURRY * 2_u32.saturating_pow(self.soon.min(9) - 1)
            }
            Pace::Later => {
                let delay = SECOND * 2_u32.saturating_pow(self.failures.min(4));
                self.failures = self.failures.saturating_add(1);
                delay
            }
        };
        self.due = now + delay.min(MAX_DELAY);
    }

    /// The batch was refused in a way that is for good where it comes three times. True
    /// if it has to be given up.
    #[must_use = "a batch that is not given up comes back for ever"]
    pub(crate) fn refused_for_good(&mut self, now: Duration) -> bool {
        self.rejections += 1;
        if self.rejections < REJECTIONS {
            self.refused(now, Pace::Later);
            return false;
        }
        self.rejections = 0;
        self.failures = 0;
        self.due = now + SECOND;
        true
    }
}

/// The first time after `now` on the grid that `due` is on, `due` itself if it
/// is still to come. What was missed (a suspended machine, say) is not caught up
/// with.
pub(crate) fn next_on_grid(due: Duration, interval: Duration, now: Duration) -> Duration {
    let Some(late) = now.checked_sub(due) else {
        return due;
    };
    // Most often by less than an interval, for which no wide division is needed.
    if late < interval {
        return due + interval;
    }
    let into = late.as_nanos().checked_rem(interval.as_nanos());
    let into = u64::try_from(into.unwrap_or_default()).unwrap_or_default();
    (now + interval).saturating_sub(Duration::from_nanos(into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids() {
        let ms = Duration::from_millis;
        for (due, interval, now, next) in [
            (1000, 1000, 1000, 2000),
            (1000, 1000, 1999, 2000),
            (1000, 1000, 2000, 3000),
            (1000, 1000, 3_600_400, 3_601_000),
            (1000, 1000, 300, 1000),
            (0, 5000, 5001, 10_000),
            (0, 0, 7, 7),
        ] {
            let found = next_on_grid(ms(due), ms(interval), ms(now));
            assert_eq!(found, ms(next), "{due} {interval} {now}");
        }
    }

    #[test]
    fn when_spans_are_due() {
        let now = Duration::from_secs(100);
        let fresh = || Deliveries::at(now, SECOND);
        let mut draining = fresh();
        draining.accepted(now, false);
        let mut drained = fresh();
        drained.accepted(now, true);
        let mut failing = fresh();
        failing.refused(now, Pace::Later);
        let mut halved = fresh();
        halved.refused(now, Pace::Now);
        let mut halved_later = fresh();
        halved_later.refused(now, Pace::Later);
        halved_later.refused(now, Pace::Now);
        // Not in a hurry, many spans, in a hurry.
        for (spans, due) in [
            (fresh(), [now, Duration::ZERO, Duration::ZERO]),
            (draining, [Duration::ZERO; 3]),
            (drained, [now + SECOND, Duration::ZERO, Duration::ZERO]),
            (failing, [now + SECOND, now + SECOND, now + HURRY]),
            (halved, [Duration::ZERO; 3]),
            (halved_later, [now; 3]),
        ] {
            let found = [
                spans.due(false, false),
                spans.due(true, false),
                spans.due(false, true),
            ];
            assert_eq!(found, due, "{spans:?}");
        }
    }

    #[test]
    fn what_is_refused_follows_at_its_pace() {
        let now = Duration::from_secs(100);
        let ms = Duration::from_millis;
        for (pace, delays) in [
            (Pace::Now, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (
                Pace::Soon,
                [50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000],
            ),
            (
                Pace::Later,
                [
                    1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000,
                ],
            ),
        ] {
            let mut spans = Deliveries::at(now, SECOND);
            for delay in delays {
                spans.refused(now, pace);
                assert_eq!(spans.due, now + ms(delay), "{pace:?}");
            }
        }
    }

    #[test]
    fn lookups_never_pause_for_more_than_a_second() {
        for jitter in [0.0, 0.5, 1.0, 7.0] {
            let mut retry = Retry::from(Duration::ZERO);
            let mut now = Duration::ZERO;
            while now < SECOND * 10_000 {
                let delay = retry.lookup(now, jitter);
                assert!(delay <= LOOKUP_DELAY, "{delay:?} at {now:?}");
                now += delay;
            }
        }
    }
}
