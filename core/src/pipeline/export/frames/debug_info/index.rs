//! Where the code of each unit is.

use gimli::{DebugInfoOffset, Section, UnitHeader, UnitType};

use crate::pipeline::export::frames::debug_info::entry::Entry;
use crate::pipeline::export::frames::debug_info::{Dwarf, Slice};

/// Units that are looked through at once, and bytes of them.
const STEP: usize = 64;
const STEP_BYTES: usize = 2 << 20;

/// The most units that are known: 8 bytes each.
const MOST_UNITS: usize = 64 * 1024;

/// The most parts of all units: 24 bytes each.
const MOST_PARTS: usize = 64 * 1024;

/// The most parts of one unit. Linkers put what is seldom called and what starts
/// the program apart from the rest.
const PARTS: usize = 4;

/// What is so near is one part.
const NEAR: u64 = 4 * 1024;

/// The most units in which an address is looked for.
const MOST_TRIED: usize = 64;

/// The units of a file, in the order in which they stand there. It is made in
/// steps. Where a file has more units than are known, the rest have no lines.
pub(crate) struct Index {
    /// Where the next unit to look at begins.
    next: Option<usize>,
    units: Vec<usize>,
    parts: Vec<Part>,
}

/// Code of one unit, with what of others stands in between.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: u64,
    end: u64,
    unit: usize,
}

impl Index {
    pub(crate) fn new(dwarf: &Dwarf) -> Self {
        Self {
            next: (!dwarf.debug_info.reader().is_empty()).then_some(0),
            units: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Takes one step; false where that was the last.
    pub(crate) fn read_on(&mut self, dwarf: &Dwarf) -> bool {
        let mut bytes = 0;
        for _ in 0..STEP {
            let Some(at) = self.next.filter(|_| bytes < STEP_BYTES) else {
                break;
            };
            let Ok(header) = dwarf.debug_info.header_from_offset(DebugInfoOffset(at)) else {
                self.next = None;
                break;
            };
            let length = header.length_including_self();
            bytes += length;
            let behind = at
                .checked_add(length)
                .filter(|_| self.units.len() + 1 < MOST_UNITS);
            self.next = behind.filter(|behind| *behind < dwarf.debug_info.reader().len());
            self.units.push(at);
            // Another unit may be whole.
            let _ = self.add(dwarf, at, header);
        }
        if self.next.is_none() {
            self.units.shrink_to_fit();
            self.parts.shrink_to_fit();
        }
        self.next.is_some()
    }

    fn add(&mut self, dwarf: &Dwarf, at: usize, header: UnitHeader<Slice>) -> gimli::Result<()> {
        // The others have no code.
        if !matches!(
            header.type_(),
            UnitType::Compilation | UnitType::Skeleton(_)
        ) {
            return Ok(());
        }
        let unit = dwarf.unit(header)?;
        let unit = unit.unit_ref(dwarf);
        let mut entries = unit.entries_raw(None)?;
        let Some(abbreviation) = entries.read_abbreviation()? else {
            return Ok(());
        };
        let root = Entry::read(&mut entries, abbreviation)?;
        let first = self.parts.len();
        root.each_range(&unit, |start, end| {
            let unit = at;
            self.cover(first, Part { start, end, unit });
        })
    }

    /// Adds a part to the parts of its unit, which are at `first` and behind it.
    fn cover(&mut self, first: usize, new: Part) {
        let is_full = self.parts.len() >= MOST_PARTS || self.parts.len() - first >= PARTS;
        let own = self.parts.get_mut(first..).unwrap_or_default();
        let nearest = own.iter_mut().min_by_key(|part| part.distance(new));
        match nearest.filter(|part| is_full || part.distance(new) <= NEAR) {
            Some(part) => {
                part.start = part.start.min(new.start);
                part.end = part.end.max(new.end);
            }
            None if is_full => {}
            None => self.parts.push(new),
        }
    }

    /// The units that may have code at an address, the smallest first.
    pub(crate) fn units(&self, address: u64) -> Vec<usize> {
        let has = |part: &&Part| (part.start..part.end).contains(&address);
        let mut parts: Vec<&Part> = self.parts.iter().filter(has).collect();
        parts.sort_unstable_by_key(|part| (part.end - part.start, part.unit));
        parts.truncate(MOST_TRIED);
        parts.iter().map(|part| part.unit).collect()
    }

    /// The unit that an offset in `.debug_info` is in.
    pub(crate) fn unit_of(&self, offset: usize) -> Option<usize> {
        let behind = self.units.partition_point(|unit| *unit <= offset);
        self.units.get(behind.checked_sub(1)?).copied()
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.units.capacity() * size_of::<usize>() + self.parts.capacity() * size_of::<Part>()
    }
}

impl Part {
    /// Bytes between two parts.
    fn distance(&self, other: Self) -> u64 {
        let behind = other.start.saturating_sub(self.end);
        behind.max(self.start.saturating_sub(other.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        Index {
            next: None,
            units: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn add(index: &mut Index, unit: usize, ranges: &[(u64, u64)]) {
        index.units.push(unit);
        let first = index.parts.len();
        for (start, end) in ranges.iter().copied() {
            index.cover(first, Part { start, end, unit });
        }
    }

    #[test]
    fn parts_that_are_near_are_one_and_a_unit_has_few() {
        let mut index = index();
        add(&mut index, 0, &[(100, 200), (200, 300), (350, 400)]);
        assert_eq!(index.parts.len(), 1);
        let far: Vec<_> = (1..100).map(|n| (n << 20, (n << 20) + 10)).collect();
        add(&mut index, 7, &far);
        assert_eq!(index.parts.len(), 1 + PARTS);
        for (start, end) in far {
            assert_eq!(index.units(start), [7]);
            assert_eq!(index.units(end - 1), [7]);
        }
        assert_eq!(index.units(399), [0]);
        assert!(index.units(400).is_empty());
        assert!(index.units(99).is_empty());
    }

    #[test]
    fn the_smallest_comes_first() {
        let mut index = index();
        add(&mut index, 1, &[(1 << 20, 9 << 20)]);
        add(&mut index, 2, &[(2 << 20, 3 << 20)]);
        assert_eq!(index.units(5 << 19), [2, 1]);
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut index = index();
        for unit in 0..MOST_PARTS as u64 {
            let start = unit << 30;
            add(
                &mut index,
                unit as usize,
                &[(start, start + 1), (start + (1 << 20), start + (2 << 20))],
            );
        }
        assert_eq!(index.parts.len(), MOST_PARTS);
        assert_eq!(index.units(0), [0]);
        let last = (MOST_PARTS as u64 - 1) << 30;
        assert!(index.units(last).is_empty(), "not known");
    }

    #[test]
    fn offsets_are_of_the_unit_before_them() {
        let mut index = index();
        for unit in [0, 10, 30] {
            add(&mut index, unit, &[]);
        }
        let of = |offset| index.unit_of(offset);
        assert_eq!(
            [0, 9, 10, 29, 30, 1_000].map(of),
            [0, 0, 10, 10, 30, 30].map(Some)
        );
    }
}
