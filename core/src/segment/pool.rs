//! All segments of a process: who fills which, which are full, which are free.

use std::collections::VecDeque;

use super::sync::{Arc, AtomicU32, Mutex, MutexGuard, Ordering, PoisonError};
use super::sync::{FIRST, SEGMENT};
use super::words::{Filler, Mark, Segment};
use crate::record::Head;

/// Empty segments that are kept for the next burst.
const SPARE: usize = 4;

#[derive(Debug)]
pub(crate) struct Pool {
    /// Which incarnation of the tracer segments belong to.
    epoch: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    /// False before the tracer starts and after it has stopped: what ends then
    /// is dropped.
    open: bool,
    /// Bytes of segments there may be.
    bound: usize,
    /// Spans that are waiting when the agent thread is woken before its time.
    wake_at: usize,
    /// Bytes of segments there are.
    allocated: usize,
    next_id: u64,
    /// Empty, of the full size.
    free: Vec<Arc<Segment>>,
    /// Being filled, each by one thread.
    active: Vec<Tracked>,
    /// Full, or their thread has ended; the oldest in front.
    pub(super) sealed: VecDeque<Tracked>,
    /// Of threads that have ended, with room for others' spans; in `active` too.
    orphans: Vec<Filler>,
    /// Of threads that got no segment, or have lost their memory of one.
    shared: Option<Filler>,
    /// Spans in sealed segments that were not acknowledged.
    waiting: usize,
    counts: Counts,
    waker: Option<Waker>,
    /// In a forked child, until the agent thread was asked for.
    forked: bool,
}

/// Told, outside of the lock, when the agent thread has work.
type Waker = fn();

/// The lock of a pool.
pub(crate) type PoolGuard<'a> = MutexGuard<'a, State>;

/// A segment and how far the agent has acknowledged it.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) id: u64,
    pub(super) segment: Arc<Segment>,
    pub(super) acknowledged: Mark,
    /// Part of it is in a request whose answer is awaited.
    pub(super) in_flight: bool,
}

impl Tracked {
    /// Spans.
    pub(super) fn waiting(&self) -> usize {
        self.segment
            .filled()
            .records()
            .saturating_sub(self.acknowledged.records())
    }
}

/// What became of spans, in numbers since the tracer started.
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
    /// Refused by the agent again and again.
    pub(crate) dropped_rejected: u64,
    /// Too large for a request, or of a family beyond the registry's bound.
    pub(crate) dropped_invalid: u64,
    /// Ended when the tracer had stopped.
    pub(crate) dropped_stopped: u64,
}

impl Pool {
    #[cfg(not(all(test, loom)))]
    pub(crate) const fn new() -> Self {
        Self {
            epoch: AtomicU32::new(1),
            state: Mutex::new(State::new()),
        }
    }

    /// loom's types come into being while it runs only.
    #[cfg(all(test, loom))]
    pub(crate) fn new() -> Self {
        Self {
            epoch: AtomicU32::new(1),
            state: Mutex::new(State::new()),
        }
    }

    #[inline]
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Lets spans in, with memory for `bytes` of them; `waker` is called when
    /// `wake_at` of them wait in full segments.
    pub(crate) fn open(&self, bytes: usize, wake_at: usize, waker: Waker) {
        let mut state = self.lock();
        self.forget(&mut state);
        state.open = true;
        state.bound = bytes.max(2 * SEGMENT);
        state.wake_at = wake_at;
        state.waker = Some(waker);
        state.counts = Counts::default();
    }

    /// Lets no more spans in, and drops what is left.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        let lost = state.all_waiting();
        self.forget(&mut state);
        state.open = false;
        state.waker = None;
        state.counts.dropped_stopped += lost as u64;
    }

    /// Drops all segments: those in threads' hands are not theirs any more.
    fn forget(&self, state: &mut State) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        state.free.clear();
        state.active.clear();
        state.sealed.clear();
        state.orphans.clear();
        state.shared = None;
        state.allocated = 0;
        state.waiting = 0;
    }

    /// Takes back a full segment and gives out another one, if there is room: that
    /// of a thread that has ended, or an empty one. A thread's first is small,
    /// unless its first record, of `words`, is not.
    pub(super) fn next(&self, full: Option<Filler>, words: usize) -> (u32, Option<Filler>) {
        let is_first = full.is_none() && words <= FIRST / 8;
        let bytes = if is_first { FIRST } else { SEGMENT };
        let mut state = self.lock();
        if let Some(full) = full {
            state.seal(full);
        }
        let filler = if state.open { state.give(bytes) } else { None };
        let epoch = self.epoch();
        wake(state);
        (epoch, filler)
    }

    /// Takes the segment of a thread that ends: the next one goes on in it.
    pub(super) fn adopt(&self, filler: Filler) {
        let mut state = self.lock();
        if filler.has_room() {
            state.orphans.push(filler);
        } else {
            state.seal(filler);
        }
        wake(state);
    }

    /// Records a span under the lock.
    #[cold]
    pub(crate) fn record_shared(&self, head: &Head, attributes: &[u8]) {
        let mut state = self.lock();
        state.record_shared(head, attributes);
        wake(state);
    }

    /// What became of all spans so far.
    pub(crate) fn counts(&self) -> Counts {
        let state = self.lock();
        Counts {
            waiting: state.all_waiting() as u64,
            ..state.counts
        }
    }

    /// Bytes of segments there are.
    pub(crate) fn memory(&self) -> usize {
        self.lock().allocated
    }

    /// Bytes of segments there may be.
    pub(crate) fn bound(&self) -> usize {
        self.lock().bound
    }

    /// Keeps everybody else out.
    pub(crate) fn hold(&self) -> PoolGuard<'_> {
        self.lock()
    }

    /// In a forked child: the parent sends what it has recorded.
    pub(crate) fn after_fork(&self, state: &mut PoolGuard<'_>) {
        self.forget(state);
        state.counts = Counts::default();
        state.forked = state.open;
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn new() -> Self {
        Self {
            open: false,
            bound: 0,
            wake_at: usize::MAX,
            allocated: 0,
            next_id: 0,
            free: Vec::new(),
            active: Vec::new(),
            sealed: VecDeque::new(),
            orphans: Vec::new(),
            shared: None,
            waiting: 0,
            counts: Counts {
                sent: 0,
                ignored: 0,
                waiting: 0,
                dropped_full: 0,
                dropped_rejected: 0,
                dropped_invalid: 0,
                dropped_stopped: 0,
            },
            waker: None,
            forked: false,
        }
    }

    fn record_shared(&mut self, head: &Head, attributes: &[u8]) {
        if !self.open {
            self.counts.dropped_stopped += 1;
            return;
        }
        for _ in 0..2 {
            if let Some(filler) = &mut self.shared {
                if filler.append(head, attributes) {
                    return;
                }
            }
            if let Some(full) = self.shared.take() {
                self.seal(full);
            }
            let Some(filler) = self.empty(SEGMENT).or_else(|| self.beyond_the_bound()) else {
                self.counts.dropped_full += 1;
                return;
            };
            self.track(&filler);
            self.shared = Some(filler);
        }
        self.counts.dropped_invalid += 1;
    }

    fn give(&mut self, bytes: usize) -> Option<Filler> {
        if let Some(orphan) = self.orphans.pop() {
            return Some(orphan);
        }
        let filler = self.empty(bytes)?;
        self.track(&filler);
        Some(filler)
    }

    /// An empty segment: a free one, or a new one, for which the oldest spans
    /// are dropped if need be.
    fn empty(&mut self, bytes: usize) -> Option<Filler> {
        if bytes == SEGMENT {
            while let Some(segment) = self.free.pop() {
                if let Some(filler) = Filler::reuse(segment) {
                    return Some(filler);
                }
                self.allocated -= SEGMENT;
            }
        }
        while self.allocated + bytes > self.bound {
            let surplus = self.free.pop().or_else(|| self.drop_oldest())?;
            self.allocated -= surplus.bytes();
            if surplus.bytes() == bytes {
                if let Some(filler) = Filler::reuse(surplus) {
                    self.allocated += bytes;
                    return Some(filler);
                }
            }
        }
        Some(self.allocate(bytes))
    }

    /// Takes the oldest full segment that is in no request.
    fn drop_oldest(&mut self) -> Option<Arc<Segment>> {
        let oldest = self.sealed.iter().position(|tracked| !tracked.in_flight)?;
        let dropped = self.sealed.remove(oldest)?;
        let lost = dropped.waiting();
        self.waiting = self.waiting.saturating_sub(lost);
        self.counts.dropped_full += lost as u64;
        Some(dropped.segment)
    }

    /// The one segment there may be beyond the bound.
    fn beyond_the_bound(&mut self) -> Option<Filler> {
        (self.allocated <= self.bound).then(|| self.allocate(SEGMENT))
    }

    fn allocate(&mut self, bytes: usize) -> Filler {
        self.allocated += bytes;
        Filler::allocate(bytes)
    }

    fn track(&mut self, filler: &Filler) {
        self.next_id += 1;
        self.active.push(Tracked {
            id: self.next_id,
            segment: filler.segment().clone(),
            acknowledged: Mark::default(),
            in_flight: false,
        });
    }

    fn seal(&mut self, full: Filler) {
        let position = self
            .active
            .iter()
            .position(|tracked| Arc::ptr_eq(&tracked.segment, full.segment()));
        drop(full);
        let Some(tracked) = position.map(|position| self.active.swap_remove(position)) else {
            return;
        };
        let waiting = tracked.waiting();
        self.waiting += waiting;
        if waiting == 0 && !tracked.in_flight {
            self.release(tracked.segment);
        } else {
            self.sealed.push_back(tracked);
        }
    }

    fn release(&mut self, segment: Arc<Segment>) {
        if segment.bytes() == SEGMENT {
            self.free.push(segment);
        } else {
            self.allocated -= segment.bytes();
        }
    }

    fn all_waiting(&self) -> usize {
        self.sealed
            .iter()
            .chain(&self.active)
            .map(Tracked::waiting)
            .sum()
    }

    /// Spans by which the counter differs from what is there.
    #[cfg(test)]
    pub(super) fn drift(&self) -> usize {
        let sealed: usize = self.sealed.iter().map(Tracked::waiting).sum();
        self.waiting.abs_diff(sealed)
    }

    pub(super) fn tracked(&mut self) -> impl Iterator<Item = &mut Tracked> {
        self.sealed.iter_mut().chain(&mut self.active)
    }

    /// The agent has the records of a segment up to `end`; returns how many
    /// that are.
    pub(super) fn acknowledge(&mut self, id: u64, end: Mark) -> usize {
        let Some(tracked) = self.tracked().find(|tracked| tracked.id == id) else {
            return 0;
        };
        let done = end.records().saturating_sub(tracked.acknowledged.records());
        tracked.acknowledged = end;
        tracked.in_flight = false;
        if let Some(position) = self.sealed.iter().position(|tracked| tracked.id == id) {
            self.waiting = self.waiting.saturating_sub(done);
            let finished = self
                .sealed
                .get(position)
                .is_some_and(|tracked| tracked.waiting() == 0);
            if let Some(tracked) = finished.then(|| self.sealed.remove(position)).flatten() {
                self.release(tracked.segment);
            }
        }
        done
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Gives memory back that the last burst needed: segments of ended threads
    /// whose spans the agent has, and empty ones beyond a few.
    pub(super) fn trim(&mut self) {
        for orphan in std::mem::take(&mut self.orphans) {
            let mut active = self.active.iter();
            let tracked = active.find(|tracked| Arc::ptr_eq(&tracked.segment, orphan.segment()));
            if tracked.is_some_and(|tracked| tracked.waiting() == 0 && !tracked.in_flight) {
                self.seal(orphan);
            } else {
                self.orphans.push(orphan);
            }
        }
        let surplus = self.free.len().saturating_sub(SPARE);
        self.free.truncate(SPARE);
        self.allocated -= surplus * SEGMENT;
    }
}

/// Wakes the agent thread, outside of the lock, when enough is waiting.
fn wake(mut state: MutexGuard<'_, State>) {
    let needed = state.waiting >= state.wake_at || std::mem::take(&mut state.forked);
    let waker = if needed { state.waker } else { None };
    drop(state);
    if let Some(wake) = waker {
        wake();
    }
}
