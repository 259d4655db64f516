//! What became of spans.

/// In numbers since the tracer started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Acknowledged by the agent.
    pub(crate) sent: u64,
    /// Left out by a rule.
    pub(crate) ignored: u64,
    /// Waiting.
    pub(crate) waiting: u64,
    /// The oldest, when there was no room.
    pub(crate) dropped_full: u64,
    /// For which the system had no memory.
    pub(crate) dropped_memory: u64,
    /// Refused by the agent again and again.
    pub(crate) dropped_rejected: u64,
    /// Larger than the agent takes.
    pub(crate) dropped_too_large: u64,
    /// Sent twice and never answered.
    pub(crate) dropped_unanswered: u64,
    /// Larger than a segment, or of a family beyond the registry's bound.
    pub(crate) dropped_invalid: u64,
    /// Ended when the tracer had stopped.
    pub(crate) dropped_stopped: u64,
    /// Of those that were sent: the agent may have them twice.
    pub(crate) maybe_twice: u64,
}

impl Counts {
    pub(super) const fn new() -> Self {
        Self {
            sent: 0,
            ignored: 0,
            waiting: 0,
            dropped_full: 0,
            dropped_memory: 0,
            dropped_rejected: 0,
            dropped_too_large: 0,
            dropped_unanswered: 0,
            dropped_invalid: 0,
            dropped_stopped: 0,
            maybe_twice: 0,
        }
    }

    /// All together.
    pub(crate) fn recorded(&self) -> u64 {
        self.sent
            + self.ignored
            + self.waiting
            + self.dropped_full
            + self.dropped_memory
            + self.dropped_rejected
            + self.dropped_too_large
            + self.dropped_unanswered
            + self.dropped_invalid
            + self.dropped_stopped
    }
}
