//! The time that is left for all checks together.

use std::time::{Duration, Instant};

/// The time for all checks together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    deadline: Instant,
}

impl Budget {
    pub(super) fn new(total: Duration) -> Self {
        Self {
            deadline: Instant::now() + total,
        }
    }

    /// That long, or the time that is left.
    pub(super) fn part(self, wanted: Duration) -> Duration {
        wanted.min(self.left())
    }

    pub(super) fn left(self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(super) fn is_over(self) -> bool {
        self.left().is_zero()
    }
}
