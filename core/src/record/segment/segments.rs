//! The segments of a pool: who fills which, which are full, which are free. All of it
//! happens under the pool's lock, so each call does little, however many there are.

use std::collections::VecDeque;

use crate::record::segment::counts::Counts;
use crate::record::segment::segment::{Mark, Segment, SegmentWriter};
use crate::record::segment::slots::{Key, Slots, Tracked};
use crate::record::segment::sync::{Arc, FIRST, SEGMENT};

/// Empty segments that are kept for the next burst.
pub(super) const SPARE: usize = 4;

#[derive(Debug)]
pub(super) struct Segments {
    /// Bytes of segments there are.
    pub(super) allocated: usize,
    /// Empty, of the full size.
    pub(super) free: Vec<SegmentWriter>,
    /// All that are not free.
    pub(super) slots: Slots,
    /// The slots of those that are full, or whose thread has ended, and in no request;
    /// the oldest in front.
    sealed: VecDeque<u32>,
    /// Of threads that have ended, with room for others' spans.
    pub(super) orphans: VecDeque<SegmentWriter>,
    /// Of threads that got no segment, or have lost their memory of one.
    pub(super) shared: Option<SegmentWriter>,
    /// Spans in sealed segments that were not acknowledged.
    pub(super) waiting: usize,
}

/// What there is for a span that needs room.
#[derive(Debug)]
pub(super) enum Room {
    /// A segment, with a slot of its own.
    Segment(SegmentWriter),
    /// Room for a new one, which counts as allocated.
    Reserved,
    /// As many bytes as there may be are in use.
    Full,
    /// The system has none.
    NoMemory,
}

impl Segments {
    pub(super) const fn new() -> Self {
        Self {
            allocated: 0,
            free: Vec::new(),
            slots: Slots::new(),
            sealed: VecDeque::new(),
            orphans: VecDeque::new(),
            shared: None,
            waiting: 0,
        }
    }

    /// With memory for the slots of so many bytes of segments, so that none is moved
    /// later. The system gives it when it is touched.
    pub(super) fn for_bytes(bytes: usize) -> Self {
        let mut segments = Self::new();
        let slots = bytes / FIRST + 2;
        segments.slots.reserve(slots);
        let _ = segments.sealed.try_reserve_exact(slots);
        segments
    }

    /// A segment for a thread: of one that has ended, or an empty one.
    pub(super) fn give(&mut self, bytes: usize, limits: &mut Limits<'_>) -> Room {
        match self.orphans.pop_back() {
            Some(orphan) => Room::Segment(orphan),
            None => self.empty(bytes, limits),
        }
    }

    /// An empty segment: a free one, or room for a new one, for which the oldest spans
    /// are dropped if need be. A few of them: a segment is as large as eight small ones.
    pub(super) fn empty(&mut self, bytes: usize, limits: &mut Limits<'_>) -> Room {
        loop {
            let free = self.free.pop();
            if let Some(free) = free {
                if bytes == SEGMENT {
                    return self.track(free, limits.next_id);
                }
                if self.allocated + bytes <= limits.bound {
                    self.free.push(free);
                } else {
                    self.allocated -= SEGMENT;
                }
            }
            if self.allocated + bytes <= limits.bound {
                self.allocated += bytes;
                return Room::Reserved;
            }
            if self.free.is_empty() && !self.drop_oldest(limits.counts) {
                return Room::Full;
            }
        }
    }

    /// Losses the oldest full segment that is in no request, if there is one.
    fn drop_oldest(&mut self, counts: &mut Counts) -> bool {
        let Some(slot) = self.sealed.pop_front() else {
            return false;
        };
        if let Some(dropped) = self.slots.remove(slot) {
            let lost = dropped.waiting();
            self.waiting = self.waiting.saturating_sub(lost);
            counts.dropped_full += lost as u64;
            self.release(dropped.segment);
        }
        true
    }

    /// Gives a segment a slot.
    pub(super) fn track(&mut self, mut writer: SegmentWriter, next_id: &mut u64) -> Room {
        *next_id += 1;
        match self.slots.insert(*next_id, writer.segment().clone()) {
            Some(slot) => {
                writer.slot = slot;
                Room::Segment(writer)
            }
            None => {
                self.allocated -= writer.segment().bytes();
                Room::NoMemory
            }
        }
    }

    /// Nobody writes to the segment any more.
    pub(super) fn seal(&mut self, full: SegmentWriter) {
        let slot = full.slot;
        let Some(tracked) = self.slots.get_mut(slot) else {
            return;
        };
        if !Arc::ptr_eq(&tracked.segment, full.segment()) {
            return;
        }
        drop(full);
        tracked.is_sealed = true;
        let (waiting, in_flight) = (tracked.waiting(), tracked.in_flight);
        // Doubtful spans are in front of all others.
        let is_doubtful = tracked.is_doubtful();
        self.waiting += waiting;
        if !in_flight {
            self.settle(slot, waiting, is_doubtful);
        }
    }

    /// A sealed segment that is in no request: it waits, or is done.
    fn settle(&mut self, slot: u32, waiting: usize, in_front: bool) {
        if waiting == 0 {
            if let Some(done) = self.slots.remove(slot) {
                self.release(done.segment);
            }
        } else if self.sealed.try_reserve(1).is_err() {
            // There is no memory for four bytes.
            if let Some(lost) = self.slots.remove(slot) {
                self.waiting = self.waiting.saturating_sub(waiting);
                self.release(lost.segment);
            }
        } else if in_front {
            self.sealed.push_front(slot);
        } else {
            self.sealed.push_back(slot);
        }
    }

    /// Keeps an empty segment, unless it is a small one, or somebody still reads it.
    fn release(&mut self, segment: Arc<Segment>) {
        let bytes = segment.bytes();
        let empty = (bytes == SEGMENT && self.free.try_reserve(1).is_ok())
            .then(|| SegmentWriter::reuse(segment))
            .flatten();
        match empty {
            Some(empty) => self.free.push(empty),
            None => self.allocated -= bytes,
        }
    }

    /// Takes the oldest sealed segment into a request; `doubtful`: only if it is that.
    pub(super) fn take_sealed(&mut self, doubtful: bool) -> Option<(Key, &Tracked)> {
        let slot = *self.sealed.front()?;
        if doubtful && !self.slots.get_mut(slot)?.is_doubtful() {
            return None;
        }
        self.sealed.pop_front();
        let (key, tracked) = self.slots.with_key(slot)?;
        tracked.in_flight = true;
        Some((key, tracked))
    }

    /// A segment is in no request any more, and the agent has its spans up to `end`;
    /// returns how many that are.
    pub(super) fn put_back(&mut self, key: Key, end: Option<Mark>) -> usize {
        let Some(slot) = self.slots.find(key) else {
            return 0;
        };
        let Some(tracked) = self.slots.get_mut(slot) else {
            return 0;
        };
        let end = end.unwrap_or(tracked.acknowledged);
        let done = end.records().saturating_sub(tracked.acknowledged.records());
        let was_doubtful = tracked.is_doubtful();
        tracked.acknowledged = end;
        tracked.in_flight = false;
        if tracked.is_sealed {
            let waiting = tracked.waiting();
            // What is left then is younger than what is doubtful elsewhere.
            let in_front = tracked.is_doubtful() || !was_doubtful;
            self.waiting = self.waiting.saturating_sub(done);
            self.settle(slot, waiting, in_front);
        }
        done
    }

    /// What was sent of a segment up to `end` may have arrived.
    pub(super) fn doubt(&mut self, key: Key, end: Mark) {
        let slot = self.slots.find(key);
        if let Some(tracked) = slot.and_then(|slot| self.slots.get_mut(slot)) {
            tracked.doubtful = end;
        }
    }

    /// Spans in so many slots from this one on whose segments are being filled.
    pub(super) fn unsealed(&mut self, from: usize, slots: usize) -> usize {
        let part = self.slots.part(from, slots);
        part.filter(|(_, tracked)| !tracked.is_sealed)
            .map(|(_, tracked)| tracked.waiting())
            .sum()
    }

    /// Looks at the orphan that waits longest: true where it was given back.
    pub(super) fn tidy_orphan(&mut self) -> bool {
        let Some(orphan) = self.orphans.pop_front() else {
            return false;
        };
        let tracked = self.slots.get_mut(orphan.slot);
        let is_idle = tracked.is_some_and(|tracked| tracked.waiting() == 0 && !tracked.in_flight);
        if is_idle {
            self.seal(orphan);
        } else {
            self.orphans.push_back(orphan);
        }
        is_idle
    }

    /// Spans by which the counter differs from what is there.
    #[cfg(test)]
    pub(super) fn drift(&mut self) -> usize {
        let all = self.slots.len();
        let sealed = self.slots.part(0, all);
        let waiting: usize = sealed
            .filter(|(_, tracked)| tracked.is_sealed)
            .map(|(_, tracked)| tracked.waiting())
            .sum();
        self.waiting.abs_diff(waiting)
    }
}

/// What a pool has for its segments.
#[derive(Debug)]
pub(super) struct Limits<'a> {
    /// Bytes of segments there may be.
    pub(super) bound: usize,
    pub(super) next_id: &'a mut u64,
    pub(super) counts: &'a mut Counts,
}
