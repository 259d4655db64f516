//! The agent thread's view of the pool: what is to be sent, and what became of it.

use crate::record::segment::counts::Counts;
use crate::record::segment::pool::{PART, Pool};
use crate::record::segment::segment::{Mark, Segment};
use crate::record::segment::slots::{Key, Tracked};
use crate::record::segment::sync::Arc;

/// What a request may take from one segment.
#[derive(Clone, Debug)]
pub(crate) struct Portion {
    key: Key,
    segment: Arc<Segment>,
    from: Mark,
    /// Words that were published when it was made.
    words: usize,
}

impl Portion {
    fn of(key: Key, tracked: &Tracked, is_second: bool) -> Self {
        let from = tracked.acknowledged;
        let to = if is_second {
            tracked.doubtful
        } else {
            tracked.segment.filled()
        };
        Self {
            key,
            segment: tracked.segment.clone(),
            from,
            words: to.words().saturating_sub(from.words()),
        }
    }

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
    /// They are larger than the agent takes.
    pub(crate) too_large: usize,
}

/// What a request may be filled with.
#[derive(Debug, Default)]
pub(crate) struct Portions {
    pub(crate) list: Vec<Portion>,
    /// Nothing else waits.
    pub(crate) is_all: bool,
    /// All of it was sent before, without an answer.
    pub(crate) is_second: bool,
    /// Bytes of memory that the body of the request may take.
    pub(crate) body: usize,
    /// Bytes of records.
    bytes: usize,
}

impl Portions {
    fn add(&mut self, portion: Portion) {
        self.bytes += portion.words * 8;
        self.list.push(portion);
    }
}

/// Bytes that a body may take beside the bound of segments. A larger one takes the rest
/// from them.
const SMALL_BODY: usize = 1024 * 1024;

/// So many times as long as records their JSON may be, as a rule.
const JSON: usize = 8;

/// Spans on their way: the spans of the last request, until its answer is known.
#[derive(Debug)]
pub(crate) struct Backlog {
    pool: &'static Pool,
    /// The segments that are in flight, the oldest first.
    held: Vec<Key>,
    /// The segments that are in the request, in the same order, and up to where.
    taken: Vec<(Key, Mark)>,
    /// Some segments may be doubtful.
    has_doubts: bool,
}

impl Backlog {
    pub(crate) fn new(pool: &'static Pool) -> Self {
        Self {
            pool,
            held: Vec::new(),
            taken: Vec::new(),
            has_doubts: false,
        }
    }

    /// The oldest segments, until at least so many bytes of records wait in them, as far
    /// as there are, for a body of as many bytes. Where spans were sent without an answer,
    /// these alone. What is used of them is named by [`take`](Self::take).
    pub(crate) fn portions(&mut self, bytes: usize) -> Portions {
        // Where a panic came in between.
        self.retry();
        if self.has_doubts {
            let portions = self.portions_of(bytes, true);
            if !portions.list.is_empty() {
                return portions;
            }
            self.has_doubts = false;
        }
        self.portions_of(bytes, false)
    }

    fn portions_of(&mut self, bytes: usize, is_second: bool) -> Portions {
        let mut portions = Portions {
            is_second,
            ..Portions::default()
        };
        let is_all =
            self.take_sealed(bytes, &mut portions) && self.take_unsealed(bytes, &mut portions);
        portions.is_all = is_all && !is_second;
        let mut state = self.pool.lock();
        portions.body = state.left().max(SMALL_BODY);
        let json = portions.bytes.saturating_mul(JSON);
        let needed = portions.body.min(bytes).min(json);
        state.reserve(needed.saturating_sub(SMALL_BODY));
        drop(state);
        portions
    }

    /// True where no other one waits.
    fn take_sealed(&mut self, bytes: usize, portions: &mut Portions) -> bool {
        while portions.bytes < bytes && self.has_memory(portions) {
            let mut state = self.pool.lock();
            for _ in 0..PART {
                let Some((key, tracked)) = state.take_sealed(portions.is_second) else {
                    return true;
                };
                self.held.push(key);
                portions.add(Portion::of(key, tracked, portions.is_second));
                if portions.bytes >= bytes {
                    break;
                }
            }
        }
        false
    }

    /// Of the segments that are being filled; true where no other one waits.
    fn take_unsealed(&mut self, bytes: usize, portions: &mut Portions) -> bool {
        let mut from = 0;
        while self.has_memory(portions) {
            let mut state = self.pool.lock();
            let Some(unsealed) = state.unsealed(from) else {
                return true;
            };
            for (key, tracked) in unsealed {
                let is_wanted = if portions.is_second {
                    tracked.is_doubtful()
                } else {
                    tracked.waiting() > 0
                };
                if !is_wanted {
                    continue;
                }
                if portions.bytes >= bytes {
                    return false;
                }
                tracked.in_flight = true;
                self.held.push(key);
                portions.add(Portion::of(key, tracked, portions.is_second));
            }
            from += PART;
        }
        false
    }

    /// Takes memory for the next part, outside of the pool's lock.
    fn has_memory(&mut self, portions: &mut Portions) -> bool {
        self.held.try_reserve(PART).is_ok() && portions.list.try_reserve(PART).is_ok()
    }

    /// `records` of the portion, in `bytes` bytes, are in the request.
    pub(crate) fn take(&mut self, portion: &Portion, records: usize, bytes: usize) {
        let end = portion.from.plus(Mark::new(bytes / 8, records));
        self.taken.push((portion.key, end));
    }

    /// The request is written anew: nothing is in it yet.
    pub(crate) fn retake(&mut self) {
        self.taken.clear();
    }

    /// The request has been written: segments that are not in it may be used
    /// for new spans if there is no other room. `body` is the memory of the request.
    pub(crate) fn release_others(&mut self, portions: Vec<Portion>, body: usize) {
        drop(portions);
        self.pool.lock().reserve(body.saturating_sub(SMALL_BODY));
        self.put_back(&self.others());
        self.held.clear();
        self.held.extend(self.taken.iter().map(|(key, _)| key));
    }

    /// The segments in flight that are not in the request, the newest first.
    fn others(&self) -> Vec<Key> {
        let mut taken = self.taken.iter().rev().map(|(key, _)| *key).peekable();
        let held = self.held.iter().rev().copied();
        held.filter(|key| taken.next_if_eq(key).is_none()).collect()
    }

    /// Puts segments back, the newest first, so that the oldest are in front.
    fn put_back(&self, newest_first: &[Key]) {
        for part in newest_first.chunks(PART) {
            let mut state = self.pool.lock();
            for key in part {
                state.put_back(*key, None);
            }
        }
    }

    /// The agent has what was taken. `maybe_twice`: it may have had it before.
    pub(crate) fn acknowledge(&mut self, unsent: Unsent, maybe_twice: bool) {
        let taken = self.finish();
        let Unsent {
            invalid,
            ignored,
            too_large,
        } = unsent;
        let sent = taken.saturating_sub(invalid + ignored + too_large) as u64;
        let mut state = self.pool.lock();
        let counts = state.counts();
        counts.sent += sent;
        counts.maybe_twice += if maybe_twice { sent } else { 0 };
        counts.dropped_invalid += invalid as u64;
        counts.dropped_too_large += too_large as u64;
        counts.ignored += ignored as u64;
    }

    /// What was taken is not sent again; `count` is where that is counted.
    pub(crate) fn give_up(&mut self, count: fn(&mut Counts) -> &mut u64) {
        let spans = self.finish() as u64;
        *count(self.pool.lock().counts()) += spans;
    }

    /// What was taken will be taken again.
    pub(crate) fn retry(&mut self) {
        self.pool.lock().reserve(0);
        self.taken.clear();
        let mut held = std::mem::take(&mut self.held);
        held.reverse();
        self.put_back(&held);
        held.clear();
        self.held = held;
    }

    /// What was taken may have arrived: it will be taken again, without others.
    pub(crate) fn doubt(&mut self) {
        for part in self.taken.chunks(PART) {
            let mut state = self.pool.lock();
            for (key, end) in part {
                state.doubt(*key, *end);
            }
        }
        self.has_doubts = !self.taken.is_empty();
        self.retry();
    }

    /// True where something waits.
    pub(crate) fn pending(&self) -> bool {
        self.pool.pending()
    }

    /// Once a second.
    pub(crate) fn tick(&mut self) {
        self.pool.trim();
    }

    /// Nothing of what was taken is sent again; returns how many spans that are. The rest
    /// is put back.
    fn finish(&mut self) -> usize {
        self.pool.lock().reserve(0);
        self.put_back(&self.others());
        let mut taken = std::mem::take(&mut self.taken);
        taken.reverse();
        let mut spans = 0;
        for part in taken.chunks(PART) {
            let mut state = self.pool.lock();
            spans += part
                .iter()
                .map(|(key, end)| state.put_back(*key, Some(*end)))
                .sum::<usize>();
        }
        self.held.clear();
        taken.clear();
        self.taken = taken;
        spans
    }
}
