//! All segments of a process, and the lock that guards them. No call has it for longer than
//! a few steps take: what has to look at all segments does so in parts.

use super::counts::Counts;
use super::slots::{Key, Tracked};
use super::stock::{Limits, Room, SPARE, Stock};
use super::sync::{AtomicU32, Mutex, MutexGuard, Ordering, PoisonError};
use super::sync::{FIRST, SEGMENT};
use super::words::{Filler, Mark};
use crate::record::Head;

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
    stock: Stock,
    counts: Counts,
    waker: Option<Waker>,
    /// In a forked child, until the agent thread was asked for.
    forked: bool,
}

/// Told, outside of the lock, when the agent thread has work.
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
        let stock = Stock::for_bytes(bound);
        let mut state = self.lock();
        let old = self.replace(&mut state, stock);
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
        let mut old = self.replace(&mut state, Stock::new());
        state.open = false;
        state.waker = None;
        drop(state);
        let lost = old.waiting + old.unsealed(0, old.slots.len());
        self.lock().counts.dropped_stopped += lost as u64;
    }

    /// Takes all segments out: those in threads' hands are not theirs any more.
    /// They are dropped by the caller, outside of the lock.
    fn replace(&self, state: &mut State, stock: Stock) -> Stock {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        state.reserved = 0;
        std::mem::replace(&mut state.stock, stock)
    }

    /// Takes back a full segment of this epoch and gives out another one, if there is
    /// room: that of a thread that has ended, or an empty one. A thread's first is small,
    /// unless its first record, of `words`, is not.
    pub(super) fn next(
        &self,
        full: Option<Filler>,
        epoch: u32,
        words: usize,
    ) -> (u32, Option<Filler>) {
        let mut state = self.lock();
        let now = self.epoch();
        let is_first = full.is_none() || epoch != now;
        let is_small = is_first && words <= FIRST / 8;
        let bytes = if is_small { FIRST } else { SEGMENT };
        let old = full.and_then(|full| state.take_back(full, epoch == now));
        let room = if state.open {
            state.with_limits(|stock, limits| stock.give(bytes, limits))
        } else {
            Room::Full
        };
        wake(state);
        drop(old);
        let filler = match room {
            Room::Filler(filler) => Some(filler),
            Room::Reserved => self.allocate(bytes, now),
            Room::Full | Room::NoMemory => None,
        };
        (now, filler)
    }

    /// A new segment, for which room is reserved; made outside of the lock.
    fn allocate(&self, bytes: usize, epoch: u32) -> Option<Filler> {
        let new = Filler::allocate(bytes);
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
    pub(super) fn adopt(&self, filler: Filler, epoch: u32) {
        let mut state = self.lock();
        let is_ours = epoch == self.epoch();
        let has_room = filler.has_room() && state.stock.orphans.try_reserve(1).is_ok();
        let old = if is_ours && has_room {
            state.stock.orphans.push_back(filler);
            None
        } else {
            state.take_back(filler, is_ours)
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
            unsealed += state.stock.unsealed(from, PART);
            from += PART;
            if from >= state.stock.slots.len() {
                return Counts {
                    waiting: (state.stock.waiting + unsealed) as u64,
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
            if state.stock.waiting > 0 || state.stock.unsealed(from, PART) > 0 {
                return true;
            }
            from += PART;
            if from >= state.stock.slots.len() {
                return false;
            }
        }
    }

    /// Bytes of segments there are.
    pub(crate) fn memory(&self) -> usize {
        self.lock().stock.allocated
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
        let mut left = self.lock().stock.orphans.len();
        while left > 0 {
            let mut state = self.lock();
            for _ in 0..left.min(PART) {
                state.stock.tidy_orphan();
            }
            left = left.saturating_sub(PART);
        }
        loop {
            let mut surplus = Vec::with_capacity(PART);
            let mut state = self.lock();
            while state.stock.free.len() > SPARE && surplus.len() < PART {
                let Some(free) = state.stock.free.pop() else {
                    break;
                };
                state.stock.allocated -= free.segment().bytes();
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
        drop(self.replace(state, Stock::new()));
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
            stock: Stock::new(),
            counts: Counts::new(),
            waker: None,
            forked: false,
        }
    }

    /// Seals a segment that is ours; another one is for the caller to drop.
    fn take_back(&mut self, full: Filler, is_ours: bool) -> Option<Filler> {
        if !is_ours {
            return Some(full);
        }
        self.stock.seal(full);
        None
    }

    /// Bytes of segments there may be now.
    fn room(&self) -> usize {
        self.bound.saturating_sub(self.reserved).max(2 * SEGMENT)
    }

    /// Bytes of the bound that are left for a request.
    pub(super) fn left(&self) -> usize {
        self.bound.saturating_sub(self.stock.allocated)
    }

    /// Keeps so many bytes of the bound for a request.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.reserved = bytes;
    }

    fn with_limits<R>(&mut self, f: impl FnOnce(&mut Stock, &mut Limits<'_>) -> R) -> R {
        let mut limits = Limits {
            bound: self.room(),
            next_id: &mut self.next_id,
            counts: &mut self.counts,
        };
        f(&mut self.stock, &mut limits)
    }

    fn record_shared(&mut self, head: &Head, attributes: &[u8]) {
        if !self.open {
            self.counts.dropped_stopped += 1;
            return;
        }
        for _ in 0..2 {
            if let Some(filler) = &mut self.stock.shared {
                if filler.append(head, attributes) {
                    return;
                }
            }
            if let Some(full) = self.stock.shared.take() {
                self.stock.seal(full);
            }
            match self.room_for_shared() {
                Room::Filler(filler) => self.stock.shared = Some(filler),
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
        let room = self.with_limits(|stock, limits| stock.empty(SEGMENT, limits));
        match room {
            Room::Full if self.stock.allocated <= self.room() => {
                self.stock.allocated += SEGMENT;
            }
            Room::Reserved => {}
            room => return room,
        }
        let new = self.admit(Filler::allocate(SEGMENT), SEGMENT);
        new.map_or(Room::NoMemory, Room::Filler)
    }

    /// Gives a new segment its slot, or its bytes back where there is none.
    fn admit(&mut self, new: Option<Filler>, bytes: usize) -> Option<Filler> {
        let Some(new) = new else {
            self.stock.allocated -= bytes;
            return None;
        };
        match self.stock.track(new, &mut self.next_id) {
            Room::Filler(filler) => Some(filler),
            _ => None,
        }
    }

    /// See [`Stock::take_sealed`].
    pub(super) fn take_sealed(&mut self, doubtful: bool) -> Option<(Key, &Tracked)> {
        self.stock.take_sealed(doubtful)
    }

    /// See [`Stock::doubt`].
    pub(super) fn doubt(&mut self, key: Key, end: Mark) {
        self.stock.doubt(key, end);
    }

    /// The segments that are being filled, in a [part](PART) of the slots; `None` behind
    /// the last one.
    pub(super) fn unsealed(
        &mut self,
        from: usize,
    ) -> Option<impl Iterator<Item = (Key, &mut Tracked)>> {
        let slots = &mut self.stock.slots;
        (from < slots.len()).then(|| {
            let part = slots.part(from, PART);
            part.filter(|(_, tracked)| !tracked.is_sealed)
        })
    }

    /// See [`Stock::put_back`].
    pub(super) fn put_back(&mut self, key: Key, end: Option<Mark>) -> usize {
        self.stock.put_back(key, end)
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    #[cfg(test)]
    pub(crate) fn drift(&mut self) -> usize {
        self.stock.drift()
    }
}

/// Wakes the agent thread, outside of the lock, when enough is waiting.
fn wake(mut state: MutexGuard<'_, State>) {
    let needed = state.stock.waiting >= state.wake_at || std::mem::take(&mut state.forked);
    let waker = if needed { state.waker } else { None };
    drop(state);
    if let Some(wake) = waker {
        wake();
    }
}
