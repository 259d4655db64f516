//! All segments of a process, and the lock that guards them. No call has it for longer than
//! a few steps take: what has to look at all segments does so in parts.

use crate::record::head::Head;
use crate::record::segment::counts::Counts;
use crate::record::segment::segment::{Mark, SegmentWriter};
use crate::record::segment::segments::{Limits, Room, SPARE, Segments};
use crate::record::segment::slots::{Key, Tracked};
use crate::record::segment::sync::{AtomicU32, Mutex, MutexGuard, Ordering, PoisonError};
use crate::record::segment::sync::{FIRST, SEGMENT};

/// Segments that are looked at under one lock.
pub(super) const PART: usize = 64;

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
    /// Bytes of the bound that a request needs: segments do not grow into them.
    reserved: usize,
    /// Spans that are waiting when the agent thread is woken before its time.
    wake_at: usize,
    next_id: u64,
    segments: Segments,
    counts: Counts,
    waker: Option<Waker>,
    /// In a forked child, until the agent thread was asked for.
    forked: bool,
}

/// Called, outside of the lock, when the agent thread has work.
type Waker = fn();

/// The lock of a pool.
pub(crate) type PoolGuard<'a> = MutexGuard<'a, State>;

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
        let bound = bytes.max(2 * SEGMENT);
        let segments = Segments::for_bytes(bound);
        let mut state = self.lock();
        let old = self.replace(&mut state, segments);
        state.open = true;
        state.bound = bound;
        state.wake_at = wake_at;
        state.waker = Some(waker);
        state.counts = Counts::new();
        drop(state);
        drop(old);
    }

    /// Lets no more spans in, and drops what is left.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        let mut old = self.replace(&mut state, Segments::new());
        state.open = false;
        state.waker = None;
        drop(state);
        let lost = old.waiting + old.unsealed(0, old.slots.len());
        self.lock().counts.dropped_stopped += lost as u64;
    }

    /// Takes all segments out: those in threads' hands are not theirs any more.
    /// They are dropped by the caller, outside of the lock.
    fn replace(&self, state: &mut State, segments: Segments) -> Segments {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        state.reserved = 0;
        std::mem::replace(&mut state.segments, segments)
    }

    /// Takes back a full segment of this epoch and gives out another one, if there is
    /// room: the segment of a thread that has ended, or an empty one. A thread's first is small,
    /// unless its first record, of `words`, is not.
    pub(super) fn next(
        &self,
        full: Option<SegmentWriter>,
        epoch: u32,
        words: usize,
    ) -> (u32, Option<SegmentWriter>) {
        let mut state = self.lock();
        let now = self.epoch();
        let is_first = full.is_none() || epoch != now;
        let is_small = is_first && words <= FIRST / 8;
        let bytes = if is_small { FIRST } else { SEGMENT };
        let old = full.and_then(|full| state.take_back(full, epoch == now));
        let room = if state.open {
            state.with_limits(|segments, limits| segments.give(bytes, limits))
        } else {
            Room::Full
        };
        wake(state);
        drop(old);
        let writer = match room {
            Room::Segment(writer) => Some(writer),
            Room::Reserved => self.allocate(bytes, now),
            Room::Full | Room::NoMemory => None,
        };
        (now, writer)
    }

    /// A new segment, for which room is reserved; made outside of the lock.
    fn allocate(&self, bytes: usize, epoch: u32) -> Option<SegmentWriter> {
        let new = SegmentWriter::allocate(bytes);
        let mut state = self.lock();
        if self.epoch() != epoch {
            // The tracer was stopped meanwhile, and what was reserved with it.
            drop(state);
            return None;
        }
        state.admit(new, bytes)
    }

    /// Takes the segment of a thread that ends, which is of this epoch: the next one goes
    /// on in it.
    pub(super) fn adopt(&self, writer: SegmentWriter, epoch: u32) {
        let mut state = self.lock();
        let is_ours = epoch == self.epoch();
        let has_room = writer.has_room() && state.segments.orphans.try_reserve(1).is_ok();
        let old = if is_ours && has_room {
            state.segments.orphans.push_back(writer);
            None
        } else {
            state.take_back(writer, is_ours)
        };
        wake(state);
        drop(old);
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
        let (mut from, mut unsealed) = (0, 0);
        loop {
            let mut state = self.lock();
            unsealed += state.segments.unsealed(from, PART);
            from += PART;
            if from >= state.segments.slots.len() {
                return Counts {
                    waiting: (state.segments.waiting + unsealed) as u64,
                    ..state.counts
                };
            }
        }
    }

    /// True where something waits.
    pub(super) fn pending(&self) -> bool {
        let mut from = 0;
        loop {
            let mut state = self.lock();
            if state.segments.waiting > 0 || state.segments.unsealed(from, PART) > 0 {
                return true;
            }
            from += PART;
            if from >= state.segments.slots.len() {
                return false;
            }
        }
    }

    /// Bytes of segments there are.
    pub(crate) fn memory(&self) -> usize {
        self.lock().segments.allocated
    }

    /// Bytes of segments there may be.
    pub(crate) fn bound(&self) -> usize {
        self.lock().bound
    }

    /// The waker is called again when the next segment is asked for.
    pub(crate) fn remind(&self) {
        let mut state = self.lock();
        state.forked = state.open;
    }

    /// Gives memory back that the last burst needed: segments of ended threads
    /// whose spans the agent has, and empty ones beyond a few.
    pub(super) fn trim(&self) {
        let mut left = self.lock().segments.orphans.len();
        while left > 0 {
            let mut state = self.lock();
            for _ in 0..left.min(PART) {
                state.segments.tidy_orphan();
            }
            left = left.saturating_sub(PART);
        }
        loop {
            let mut surplus = Vec::with_capacity(PART);
            let mut state = self.lock();
            while state.segments.free.len() > SPARE && surplus.len() < PART {
                let Some(free) = state.segments.free.pop() else {
                    break;
                };
                state.segments.allocated -= free.segment().bytes();
                surplus.push(free);
            }
            drop(state);
            if surplus.is_empty() {
                return;
            }
        }
    }

    /// Keeps everybody else out.
    pub(crate) fn hold(&self) -> PoolGuard<'_> {
        self.lock()
    }

    /// In a forked child: the parent sends what it has recorded.
    pub(crate) fn after_fork(&self, state: &mut PoolGuard<'_>) {
        drop(self.replace(state, Segments::new()));
        state.counts = Counts::new();
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
            reserved: 0,
            wake_at: usize::MAX,
            next_id: 0,
            segments: Segments::new(),
            counts: Counts::new(),
            waker: None,
            forked: false,
        }
    }

    /// Seals a segment that is ours; another one is for the caller to drop.
    fn take_back(&mut self, full: SegmentWriter, is_ours: bool) -> Option<SegmentWriter> {
        if !is_ours {
            return Some(full);
        }
        self.segments.seal(full);
        None
    }

    /// Bytes of segments there may be now.
    fn room(&self) -> usize {
        self.bound.saturating_sub(self.reserved).max(2 * SEGMENT)
    }

    /// Bytes of the bound that are left for a request.
    pub(super) fn left(&self) -> usize {
        self.bound.saturating_sub(self.segments.allocated)
    }

    /// Keeps so many bytes of the bound for a request.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.reserved = bytes;
    }

    fn with_limits<R>(&mut self, f: impl FnOnce(&mut Segments, &mut Limits<'_>) -> R) -> R {
        let mut limits = Limits {
            bound: self.room(),
            next_id: &mut self.next_id,
            counts: &mut self.counts,
        };
        f(&mut self.segments, &mut limits)
    }

    fn record_shared(&mut self, head: &Head, attributes: &[u8]) {
        if !self.open {
            self.counts.dropped_stopped += 1;
            return;
        }
        for _ in 0..2 {
            if let Some(writer) = &mut self.segments.shared {
                if writer.append(head, attributes) {
                    return;
                }
            }
            if let Some(full) = self.segments.shared.take() {
                self.segments.seal(full);
            }
            match self.room_for_shared() {
                Room::Segment(writer) => self.segments.shared = Some(writer),
                Room::Full => {
                    self.counts.dropped_full += 1;
                    return;
                }
                Room::NoMemory | Room::Reserved => {
                    self.counts.dropped_memory += 1;
                    return;
                }
            }
        }
        self.counts.dropped_invalid += 1;
    }

    /// An empty segment; one there may be beyond the bound.
    fn room_for_shared(&mut self) -> Room {
        let room = self.with_limits(|segments, limits| segments.empty(SEGMENT, limits));
        match room {
            Room::Full if self.segments.allocated <= self.room() => {
                self.segments.allocated += SEGMENT;
            }
            Room::Reserved => {}
            room => return room,
        }
        let new = self.admit(SegmentWriter::allocate(SEGMENT), SEGMENT);
        new.map_or(Room::NoMemory, Room::Segment)
    }

    /// Gives a new segment its slot, or its bytes back where there is none.
    fn admit(&mut self, new: Option<SegmentWriter>, bytes: usize) -> Option<SegmentWriter> {
        let Some(new) = new else {
            self.segments.allocated -= bytes;
            return None;
        };
        match self.segments.track(new, &mut self.next_id) {
            Room::Segment(writer) => Some(writer),
            _ => None,
        }
    }

    /// See [`Segments::take_sealed`].
    pub(super) fn take_sealed(&mut self, doubtful: bool) -> Option<(Key, &Tracked)> {
        self.segments.take_sealed(doubtful)
    }

    /// See [`Segments::doubt`].
    pub(super) fn doubt(&mut self, key: Key, end: Mark) {
        self.segments.doubt(key, end);
    }

    /// The segments that are being filled, in a [part](PART) of the slots; `None` behind
    /// the last one.
    pub(super) fn unsealed(
        &mut self,
        from: usize,
    ) -> Option<impl Iterator<Item = (Key, &mut Tracked)>> {
        let slots = &mut self.segments.slots;
        (from < slots.len()).then(|| {
            let part = slots.part(from, PART);
            part.filter(|(_, tracked)| !tracked.is_sealed)
        })
    }

    /// See [`Segments::put_back`].
    pub(super) fn put_back(&mut self, key: Key, end: Option<Mark>) -> usize {
        self.segments.put_back(key, end)
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    #[cfg(test)]
    pub(crate) fn drift(&mut self) -> usize {
        self.segments.drift()
    }
}

/// Wakes the agent thread, outside of the lock, when enough is waiting.
fn wake(mut state: MutexGuard<'_, State>) {
    let needed = state.segments.waiting >= state.wake_at || std::mem::take(&mut state.forked);
    let waker = if needed { state.waker } else { None };
    drop(state);
    if let Some(wake) = waker {
        wake();
    }
}
