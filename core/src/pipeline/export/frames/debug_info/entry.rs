//! One entry of the tree that describes a unit.

use gimli::{Abbreviation, AttributeValue, DebugInfoOffset, EntriesRaw, Result, UnitOffset};

use crate::pipeline::export::frames::debug_info::index::Index;
use crate::pipeline::export::frames::debug_info::{Dwarf, Slice, UnitRef};

/// How often a name may stand at another entry.
const MOST_ORIGINS: usize = 16;

type Value = AttributeValue<Slice>;

/// What is of interest of an entry, as it stands there.
#[derive(Default)]
pub(crate) struct Entry {
    low: Option<Value>,
    high: Option<Value>,
    ranges: Option<Value>,
    linkage_name: Option<Value>,
    name: Option<Value>,
    /// The entry that has the name.
    origin: Option<Value>,
    call_file: Option<Value>,
    call_line: Option<Value>,
}

impl Entry {
    /// Reads the attributes of the entry whose abbreviation was read.
    pub(crate) fn read(
        entries: &mut EntriesRaw<'_, '_, Slice>,
        abbreviation: &Abbreviation,
    ) -> Result<Self> {
        let mut entry = Self::default();
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(*specification)?;
            let place = match attribute.name() {
                gimli::DW_AT_low_pc => &mut entry.low,
                gimli::DW_AT_high_pc => &mut entry.high,
                gimli::DW_AT_ranges => &mut entry.ranges,
                gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                    &mut entry.linkage_name
                }
                gimli::DW_AT_name => &mut entry.name,
                gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => &mut entry.origin,
                gimli::DW_AT_call_file => &mut entry.call_file,
                gimli::DW_AT_call_line => &mut entry.call_line,
                _ => continue,
            };
            *place = Some(attribute.value());
        }
        Ok(entry)
    }

    /// Calls `f` with the beginning and the end of each range of its code. What the
    /// linker has left out begins at 0.
    pub(crate) fn each_range(&self, unit: &UnitRef<'_>, mut f: impl FnMut(u64, u64)) -> Result<()> {
        let mut range = |start: u64, end: u64| {
            if 0 < start && start < end {
                f(start, end);
            }
        };
        let list = match self.ranges {
            Some(value) => unit.attr_ranges_offset(value)?,
            None => None,
        };
        if let Some(list) = list {
            let mut list = unit.ranges(list)?;
            while let Some(of_list) = list.next()? {
                range(of_list.begin, of_list.end);
            }
            return Ok(());
        }
        let (Some(low), Some(high)) = (self.low, self.high) else {
            return Ok(());
        };
        let Some(low) = unit.attr_address(low)? else {
            return Ok(());
        };
        match high {
            AttributeValue::Udata(size) => range(low, low.saturating_add(size)),
            high => range(low, unit.attr_address(high)?.unwrap_or(low)),
        }
        Ok(())
    }

    pub(crate) fn has(&self, unit: &UnitRef<'_>, address: u64) -> Result<bool> {
        let mut has = false;
        self.each_range(unit, |start, end| has |= (start..end).contains(&address))?;
        Ok(has)
    }

    /// The number of the file from which it was called, where it was inlined. 0 is
    /// none before DWARF 5.
    pub(crate) fn call_file(&self, unit: &UnitRef<'_>) -> Option<u64> {
        match self.call_file {
            Some(AttributeValue::FileIndex(file)) => {
                Some(file).filter(|file| *file > 0 || unit.header.version() >= 5)
            }
            _ => None,
        }
    }

    pub(crate) fn call_line(&self) -> Option<u32> {
        let line = self.call_line.as_ref()?.udata_value()?;
        u32::try_from(line).ok().filter(|line| *line > 0)
    }

    /// Its name, which may stand in another unit.
    pub(crate) fn name(&self, dwarf: &Dwarf, index: &Index, unit: &UnitRef<'_>) -> Option<String> {
        match self.own_name(unit) {
            Some(name) => Some(name),
            None => name_at(dwarf, index, unit, self.origin?, MOST_ORIGINS),
        }
    }

    fn own_name(&self, unit: &UnitRef<'_>) -> Option<String> {
        let text = |value: Option<Value>| unit.attr_string(value?).ok();
        let name = text(self.linkage_name).or_else(|| text(self.name))?;
        Some(name.to_string_lossy().into_owned())
    }
}

/// The name of the entry to which a value refers.
fn name_at(
    dwarf: &Dwarf,
    index: &Index,
    unit: &UnitRef<'_>,
    origin: Value,
    most: usize,
) -> Option<String> {
    let most = most.checked_sub(1)?;
    match origin {
        AttributeValue::UnitRef(offset) => {
            let entry = entry_at(unit, offset)?;
            let name = entry.own_name(unit);
            name.or_else(|| name_at(dwarf, index, unit, entry.origin?, most))
        }
        AttributeValue::DebugInfoRef(offset) => {
            let at = DebugInfoOffset(index.unit_of(offset.0)?);
            let header = dwarf.debug_info.header_from_offset(at).ok()?;
            let offset = offset.to_unit_offset(&header)?;
            let other = dwarf.unit(header).ok()?;
            let other = other.unit_ref(dwarf);
            name_at(dwarf, index, &other, AttributeValue::UnitRef(offset), most)
        }
        _ => None,
    }
}

fn entry_at(unit: &UnitRef<'_>, offset: UnitOffset) -> Option<Entry> {
    let mut entries = unit.entries_raw(Some(offset)).ok()?;
    let abbreviation = entries.read_abbreviation().ok()??;
    Entry::read(&mut entries, abbreviation).ok()
}
