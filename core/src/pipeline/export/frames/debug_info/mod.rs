//! What the compiler wrote about the code of a file: its lines, and which functions
//! were inlined where.
//!
//! It is read where it stands in the file, for one address at a time. What is kept
//! between two addresses is bounded: where the code of each unit is ([`Index`]),
//! and where the functions of the units are that were used last.

mod entry;
mod index;
mod lines;
mod unit;

use gimli::{EndianSlice, NativeEndian, SectionId};

use self::index::Index;
use self::unit::Unit;
use crate::pipeline::export::frames::call::Call;

pub(crate) type Slice = EndianSlice<'static, NativeEndian>;

type Dwarf = gimli::Dwarf<Slice>;
type UnitRef<'a> = gimli::UnitRef<'a, Slice>;

/// Units that are kept for the next addresses.
const KEPT: usize = 8;

/// Functions of all of these: 24 bytes each.
const KEPT_FUNCTIONS: usize = 32 * 1024;

/// The debug information of one file.
pub(crate) struct DebugInfo {
    dwarf: Dwarf,
    index: Index,
    /// The unit that was used last is the last one.
    units: Vec<Unit>,
    /// Bytes that were read of units, about.
    read: usize,
}

impl DebugInfo {
    /// Nothing is read yet.
    pub(crate) fn new(section: impl Fn(SectionId) -> Slice) -> Option<Self> {
        let dwarf = Dwarf::load(|id| Ok::<_, gimli::Error>(section(id))).ok()?;
        Some(Self {
            index: Index::new(&dwarf),
            dwarf,
            units: Vec::new(),
            read: 0,
        })
    }

    /// Reads on where its units are; false where all of them are known.
    pub(crate) fn read_on(&mut self) -> bool {
        self.index.read_on(&self.dwarf)
    }

    /// The calls at an address: those that were inlined, then the one into which
    /// they were. None where nothing is known of it.
    pub(crate) fn calls(&mut self, address: u64) -> Vec<Call> {
        for at in self.index.units(address) {
            let calls = self.calls_in(at, address).unwrap_or_default();
            if !calls.is_empty() {
                return calls;
            }
        }
        Vec::new()
    }

    /// Bytes that were read of units since this was asked, about.
    pub(crate) fn take_read(&mut self) -> usize {
        std::mem::take(&mut self.read)
    }

    /// Frees what was kept for the next addresses.
    pub(crate) fn forget_units(&mut self) {
        self.units = Vec::new();
    }

    fn calls_in(&mut self, at: usize, address: u64) -> gimli::Result<Vec<Call>> {
        let kept = self.units.iter().position(|unit| unit.at == at);
        let unit = match kept {
            Some(place) => self.units.remove(place),
            None => {
                let mut unit = Unit::read(&self.dwarf, at)?;
                if !unit.covers(&self.dwarf, address)? {
                    return Ok(Vec::new());
                }
                unit.list_functions(&self.dwarf, KEPT_FUNCTIONS)?;
                unit
            }
        };
        self.read = self.read.saturating_add(unit.length());
        let calls = unit.calls(&self.dwarf, &self.index, address);
        self.keep(unit);
        calls
    }

    fn keep(&mut self, unit: Unit) {
        let functions = |units: &[Unit]| units.iter().map(Unit::functions).sum::<usize>();
        while self.units.len() >= KEPT
            || !self.units.is_empty() && functions(&self.units) + unit.functions() > KEPT_FUNCTIONS
        {
            self.units.remove(0);
        }
        self.units.push(unit);
    }

    /// The bytes that are kept, without what an allocator adds.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes() + self.units.iter().map(Unit::bytes).sum::<usize>()
    }
}
