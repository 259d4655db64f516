//! What became of spans.

use crate::base::losses::{LossCounts, Losses};
use crate::record::segment::POOL;
use crate::trace::context::unrecorded;

/// What became of spans. Recorded are all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanCounts {
    /// Acknowledged by the agent.
    pub sent: u64,
    /// Left out by a rule when they had ended. Those that a rule kept from being
    /// recorded at all are not counted.
    pub ignored: u64,
    /// Kept for the agent.
    pub waiting: u64,
    /// The oldest, dropped when there was no room.
    pub dropped_full: u64,
    /// Refused by the agent again and again.
    pub dropped_rejected: u64,
    /// Larger than the agent takes, in a request of their own, too.
    pub dropped_too_large: u64,
    /// Sent twice, and never answered: the agent may have them.
    pub dropped_unanswered: u64,
    /// That could not be written.
    pub dropped_invalid: u64,
    /// Ended when the tracer had stopped.
    pub dropped_stopped: u64,
    /// For which there was no memory. Those that could not even begin are counted for
    /// the whole process.
    pub dropped_memory: u64,
    /// Of those that were sent: the agent may have them twice, for it did not answer in
    /// time when they came first.
    pub maybe_twice: u64,
    /// Attributes left out because their span had 16 KiB of them, or because there was
    /// no memory. For the whole process, also before `init`.
    pub attributes_dropped: u64,
    /// Stacks of exits left out, because the time for finding names of functions
    /// was used up (`docs/ENVIRONMENT.md`). For the whole process.
    pub stacks_dropped: u64,
    /// Entries that were not recorded, because they began inside of an open entry that
    /// counts as the same call (`docs/ARCHITECTURE.md`, "Entries inside of entries"):
    /// requests that the process sends to itself without a socket, most of the time.
    /// The log names the place of the first. For the whole process.
    pub entries_inside: u64,
    /// Exits that were not recorded, because they began outside of any entry: in a task
    /// that was spawned without its context, in a handler without a layer around it, or
    /// in work that has no entry. The log names the place of the first, and what can
    /// be done. For the whole process.
    pub exits_outside: u64,
    /// The same of pieces of work ([`span`](crate::span()),
    /// [`#[trace]`](https://docs.rs/instana-macros)).
    pub intermediates_outside: u64,
    /// Messages that came in with a trace context that could not be understood: their
    /// entries begin a trace. For the whole process.
    pub contexts_malformed: u64,
    /// Messages that went out without their trace context, because they had no room
    /// for it. For the whole process.
    pub contexts_omitted: u64,
    /// Texts cut to their limit. For the whole process, also before `init`.
    pub texts_cut: u64,
}

impl SpanCounts {
    /// All that were recorded: sent, ignored, waiting and dropped.
    pub fn recorded(&self) -> u64 {
        self.sent + self.ignored + self.waiting + self.dropped()
    }

    /// All that were not recorded because of where they began.
    pub fn unrecorded(&self) -> u64 {
        self.entries_inside + self.exits_outside + self.intermediates_outside
    }

    /// All that were dropped, for whatever reason.
    pub fn dropped(&self) -> u64 {
        self.dropped_full
            + self.dropped_rejected
            + self.dropped_too_large
            + self.dropped_unanswered
            + self.dropped_invalid
            + self.dropped_stopped
            + self.dropped_memory
    }

    /// The counts of the process.
    pub(crate) fn of_process() -> Self {
        let (pool, losses) = (POOL.counts(), Losses::of_process());
        Self {
            sent: pool.sent,
            ignored: pool.ignored,
            waiting: pool.waiting,
            dropped_full: pool.dropped_full,
            dropped_rejected: pool.dropped_rejected,
            dropped_too_large: pool.dropped_too_large,
            dropped_unanswered: pool.dropped_unanswered,
            dropped_invalid: pool.dropped_invalid,
            dropped_stopped: pool.dropped_stopped,
            dropped_memory: pool.dropped_memory + losses.unbegun,
            maybe_twice: pool.maybe_twice,
            ..Self::of(losses, unrecorded::PROCESS.counts())
        }
    }

    /// These losses, and the spans that were not recorded; all else is 0.
    pub(crate) fn of(losses: LossCounts, unrecorded: unrecorded::Counts) -> Self {
        Self {
            attributes_dropped: losses.attributes,
            stacks_dropped: losses.stacks,
            contexts_malformed: losses.contexts_malformed,
            contexts_omitted: losses.contexts_omitted,
            texts_cut: losses.cuts,
            entries_inside: unrecorded.entries_inside,
            exits_outside: unrecorded.exits_outside,
            intermediates_outside: unrecorded.intermediates_outside,
            ..Self::default()
        }
    }
}
