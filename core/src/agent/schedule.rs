//! When things are due: retries, spans, events, and the grid of everything periodic.
//! Pure; times are durations since the agent thread started.

use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// While somebody waits for a flush, failed steps are tried again this soon.
pub(crate) const HURRY: Duration = Duration::from_millis(50);
/// Retries come every second for this long after the start or after the agent
/// was lost; later the delay grows by half up to its cap.
const EAGER: Duration = Duration::from_secs(60);
const MAX_DELAY: Duration = Duration::from_secs(10);
/// A batch that is refused for good this often is given up.
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
            delay: SECOND,
        }
    }

    /// The next delay, up to a tenth longer or shorter. `jitter` is between 0
    /// and 1.
    pub(crate) fn delay(&mut self, now: Duration, jitter: f64) -> Duration {
        if now.saturating_sub(self.since) >= EAGER {
            self.delay = (self.delay * 3 / 2).min(MAX_DELAY);
        }
        self.delay.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
    }
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
        self.rejections = 0;
        self.draining = !drained;
        if drained {
            self.due = next_on_grid(self.due, self.interval, now);
        }
    }

    /// The batch was refused, `for_good` if the same will be refused again.
    /// True if it has to be given up.
    #[must_use = "a batch that is not given up comes back for ever"]
    pub(crate) fn refused(&mut self, now: Duration, for_good: bool) -> bool {
        self.draining = false;
        if for_good {
            self.rejections += 1;
            if self.rejections >= REJECTIONS {
                self.rejections = 0;
                self.failures = 0;
                self.due = now + SECOND;
                return true;
            }
        }
        let delay = SECOND * 2_u32.saturating_pow(self.failures.min(4));
        self.failures = self.failures.saturating_add(1);
        self.due = now + delay.min(MAX_DELAY);
        false
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
        assert!(!failing.refused(now, false));
        // Not in a hurry, many spans, in a hurry.
        for (spans, due) in [
            (fresh(), [now, Duration::ZERO, Duration::ZERO]),
            (draining, [Duration::ZERO; 3]),
            (drained, [now + SECOND, Duration::ZERO, Duration::ZERO]),
            (failing, [now + SECOND, now + SECOND, now + HURRY]),
        ] {
            let found = [
                spans.due(false, false),
                spans.due(true, false),
                spans.due(false, true),
            ];
            assert_eq!(found, due, "{spans:?}");
        }
    }
}
