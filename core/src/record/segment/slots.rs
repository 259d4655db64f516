//! The segments in use, each in a slot that stays its own: whoever has the number of one
//! finds it without a search.

use crate::record::segment::segment::{Mark, Segment};
use crate::record::segment::sync::Arc;

/// No slot.
const NONE: u32 = u32::MAX;

/// A segment and how far the agent has acknowledged it.
#[derive(Debug)]
pub(super) struct Tracked {
    /// Never used again, unlike the slot.
    id: u64,
    pub(super) segment: Arc<Segment>,
    pub(super) acknowledged: Mark,
    /// How far it was sent without an answer: the agent may have those spans.
    pub(super) doubtful: Mark,
    /// Nobody writes to it any more.
    pub(super) is_sealed: bool,
    /// Part of it is in a request that is written, or whose answer is awaited.
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

    /// Whether some of its spans may have arrived.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful.records() > self.acknowledged.records()
    }
}

/// A slot, and which segment it was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    slot: u32,
    id: u64,
}

#[derive(Debug)]
pub(super) struct Slots {
    all: Vec<Slot>,
    /// The first vacant one.
    vacant: u32,
}

#[derive(Debug)]
enum Slot {
    Taken(Tracked),
    Vacant { next: u32 },
}

impl Slots {
    pub(super) const fn new() -> Self {
        Self {
            all: Vec::new(),
            vacant: NONE,
        }
    }

    /// Takes memory for so many slots, if there is any.
    pub(super) fn reserve(&mut self, slots: usize) {
        let _ = self.all.try_reserve_exact(slots);
    }

    /// How many there are or have been.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Gives the segment a slot; `None` where there is no memory for one.
    pub(super) fn insert(&mut self, id: u64, segment: Arc<Segment>) -> Option<u32> {
        let tracked = Slot::Taken(Tracked {
            id,
            segment,
            acknowledged: Mark::default(),
            doubtful: Mark::default(),
            is_sealed: false,
            in_flight: false,
        });
        let slot = self.vacant;
        if let Some(vacant) = self.all.get_mut(slot as usize) {
            if let Slot::Vacant { next } = std::mem::replace(vacant, tracked) {
                self.vacant = next;
            }
            return Some(slot);
        }
        let slot = u32::try_from(self.all.len())
            .ok()
            .filter(|slot| *slot < NONE)?;
        self.all.try_reserve(1).ok()?;
        self.all.push(tracked);
        Some(slot)
    }

    /// The segment of a slot that is taken.
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Tracked> {
        match self.all.get_mut(slot as usize)? {
            Slot::Taken(tracked) => Some(tracked),
            Slot::Vacant { .. } => None,
        }
    }

    /// The slot of a segment that is still in it.
    pub(super) fn find(&mut self, key: Key) -> Option<u32> {
        let tracked = self.get_mut(key.slot)?;
        (tracked.id == key.id).then_some(key.slot)
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Tracked> {
        let taken = self.all.get_mut(slot as usize)?;
        if matches!(taken, Slot::Vacant { .. }) {
            return None;
        }
        let next = std::mem::replace(&mut self.vacant, slot);
        match std::mem::replace(taken, Slot::Vacant { next }) {
            Slot::Taken(tracked) => Some(tracked),
            Slot::Vacant { .. } => None,
        }
    }

    /// The segments in so many slots from this one on, and the keys by which they are
    /// found again.
    pub(super) fn part(
        &mut self,
        from: usize,
        slots: usize,
    ) -> impl Iterator<Item = (Key, &mut Tracked)> {
        let end = from.saturating_add(slots).min(self.all.len());
        let part = self.all.get_mut(from..end).unwrap_or_default();
        let numbered = part.iter_mut().zip(from as u32..);
        numbered.filter_map(|(slot, number)| match slot {
            Slot::Taken(tracked) => Some((
                Key {
                    slot: number,
                    id: tracked.id,
                },
                tracked,
            )),
            Slot::Vacant { .. } => None,
        })
    }

    /// The segment of a slot that is taken, and the key by which it is found again.
    pub(super) fn with_key(&mut self, slot: u32) -> Option<(Key, &mut Tracked)> {
        let tracked = self.get_mut(slot)?;
        let id = tracked.id;
        Some((Key { slot, id }, tracked))
    }
}
