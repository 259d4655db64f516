//! The agent thread's view of the pool: what is to be sent, and what became of it.

use super::pool::Pool;
use super::sync::Arc;
use super::words::{Mark, Segment};

/// What a request may take from one segment.
#[derive(Clone, Debug)]
pub(crate) struct Portion {
    id: u64,
    segment: Arc<Segment>,
    from: Mark,
    /// Words that were published when it was made.
    words: usize,
}

impl Portion {
    /// The records: the same whenever it is asked for, also while the thread
    /// goes on with its segment.
    pub(crate) fn bytes(&self) -> &[u8] {
        let published = self.segment.published(self.from);
        published.get(..self.words * 8).unwrap_or(published)
    }
}

/// Spans that were taken and are not in the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unsent {
    /// They could not be written.
    pub(crate) invalid: usize,
    /// A rule leaves them out.
    pub(crate) ignored: usize,
}

/// Spans on their way: those of the last request, until its answer is known.
#[derive(Debug)]
pub(crate) struct Backlog {
    pool: &'static Pool,
    /// Segment, and up to where it was taken.
    taken: Vec<(u64, Mark)>,
}

impl Backlog {
    pub(crate) fn new(pool: &'static Pool) -> Self {
        Self {
            pool,
            taken: Vec::new(),
        }
    }

    /// The oldest segments, until at least that many spans wait in them, as far as
    /// there are. What is used of them is named by [`take`](Self::take).
    pub(crate) fn portions(&mut self, spans: usize) -> Vec<Portion> {
        let mut state = self.pool.lock();
        let mut found = 0;
        state
            .tracked()
            .filter(|tracked| tracked.waiting() > 0)
            .take_while(|tracked| {
                let wanted = found < spans;
                found += tracked.waiting();
                wanted
            })
            .map(|tracked| {
                tracked.in_flight = true;
                let (from, filled) = (tracked.acknowledged, tracked.segment.filled());
                Portion {
                    id: tracked.id,
                    segment: tracked.segment.clone(),
                    from,
                    words: filled.words().saturating_sub(from.words()),
                }
            })
            .collect()
    }

    /// `records` of the portion, in `bytes` bytes, are in the request.
    pub(crate) fn take(&mut self, portion: &Portion, records: usize, bytes: usize) {
        let end = portion.from.plus(Mark::new(bytes / 8, records));
        self.taken.push((portion.id, end));
    }

    /// The request is written anew: nothing is in it yet.
    pub(crate) fn retake(&mut self) {
        self.taken.clear();
    }

    /// The request has been written: segments that are not in it may be used
    /// for new spans if there is no other room.
    pub(crate) fn release_others(&mut self, portions: Vec<Portion>) {
        let mut state = self.pool.lock();
        for tracked in state.tracked() {
            tracked.in_flight = self.taken.iter().any(|(id, _)| *id == tracked.id);
        }
        drop(state);
        drop(portions);
    }

    /// The agent has what was taken.
    pub(crate) fn acknowledge(&mut self, unsent: Unsent) {
        self.finish(|counts, spans| {
            let Unsent { invalid, ignored } = unsent;
            counts.sent += spans.saturating_sub(invalid + ignored) as u64;
            counts.dropped_invalid += invalid as u64;
            counts.ignored += ignored as u64;
        });
    }

    /// The agent does not want what was taken.
    pub(crate) fn reject(&mut self) {
        self.finish(|counts, spans| counts.dropped_rejected += spans as u64);
    }

    /// What was taken will be taken again.
    pub(crate) fn retry(&mut self) {
        self.taken.clear();
        for tracked in self.pool.lock().tracked() {
            tracked.in_flight = false;
        }
    }

    /// True where something waits.
    pub(crate) fn pending(&self) -> bool {
        let mut state = self.pool.lock();
        state.tracked().any(|tracked| tracked.waiting() > 0)
    }

    /// Once a second.
    pub(crate) fn tick(&mut self) {
        self.pool.lock().trim();
    }

    fn finish(&mut self, count: impl FnOnce(&mut super::Counts, usize)) {
        let mut state = self.pool.lock();
        let mut spans = 0;
        for (id, end) in self.taken.drain(..) {
            spans += state.acknowledge(id, end);
        }
        count(state.counts(), spans);
    }
}
