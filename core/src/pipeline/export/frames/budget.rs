//! How much time may go into what has no bound of its own.

use std::time::{Duration, Instant};

/// Earned each second: a twentieth of a core.
const EARNED: f64 = 0.05;

/// The most that is saved up, in seconds.
const SAVED: f64 = 0.25;

/// The most that is owed, in seconds: 20 seconds of earning.
const OWED: f64 = 1.0;

/// What is not limited.
const ALL: Duration = Duration::from_secs(3_600);

/// An account of time. Work may begin while there is anything on it; how long it
/// takes is known afterwards, and what it took too long is owed.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Seconds; below 0: owed.
    balance: f64,
    /// Until when time was earned.
    at: Option<Instant>,
    /// Work is never refused.
    unlimited: bool,
}

impl Budget {
    /// With all that can be saved.
    pub(crate) fn full() -> Self {
        Self {
            balance: SAVED,
            at: None,
            unlimited: false,
        }
    }

    /// For tests, which wait.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn unlimited() -> Self {
        Self {
            unlimited: true,
            ..Self::full()
        }
    }

    /// How much work may be begun; `None`: none yet.
    pub(crate) fn allows(&mut self, now: Instant) -> Option<Duration> {
        let since = self.at.replace(now).map(|at| now.duration_since(at));
        let earned = since.unwrap_or_default().as_secs_f64() * EARNED;
        self.balance = (self.balance + earned).min(SAVED);
        if self.unlimited {
            return Some(ALL);
        }
        (self.balance > 0.0).then(|| Duration::from_secs_f64(self.balance))
    }

    /// Pays for work.
    pub(crate) fn pay(&mut self, took: Duration) {
        self.balance = (self.balance - took.as_secs_f64()).max(-OWED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_is_owed_has_to_be_earned() {
        let (mut budget, start) = (Budget::full(), Instant::now());
        assert_eq!(budget.allows(start), Some(MS * 250));
        budget.pay(MS * 350);
        assert_eq!(budget.allows(start), None, "100 ms are owed");
        assert_eq!(budget.allows(start + MS * 1_900), None);
        let earned = budget.allows(start + MS * 2_100);
        assert!(earned.is_some_and(|time| time < MS * 6), "{earned:?}");
        budget.pay(MS * 6);
        assert_eq!(budget.allows(start + MS * 2_100), None);
    }

    #[test]
    fn neither_savings_nor_debts_grow_for_ever() {
        let (mut budget, start) = (Budget::full(), Instant::now());
        assert!(budget.allows(start).is_some());
        assert!(budget.allows(start + Duration::from_secs(3_600)).is_some());
        budget.pay(MS * 251);
        let later = start + Duration::from_secs(3_600);
        assert_eq!(budget.allows(later), None, "an hour has not earned more");
        budget.pay(Duration::from_secs(3_600));
        assert_eq!(budget.allows(later + Duration::from_secs(19)), None);
        assert!(budget.allows(later + Duration::from_secs(21)).is_some());
    }

    #[test]
    fn tests_wait() {
        let mut budget = Budget::unlimited();
        budget.pay(Duration::from_secs(3_600));
        assert!(budget.allows(Instant::now()).is_some());
    }
}
