//! What was compiled at once: a part of a crate.

use gimli::{DebugInfoOffset, DebugLineOffset, EntriesRaw, Result, UnitOffset};

use crate::pipeline::export::frames::call::Call;
use crate::pipeline::export::frames::debug_info::entry::Entry;
use crate::pipeline::export::frames::debug_info::index::Index;
use crate::pipeline::export::frames::debug_info::lines::{Lines, Location};
use crate::pipeline::export::frames::debug_info::{Dwarf, Slice, UnitRef};

/// The largest one, in bytes, of which the functions are looked for: functions of a
/// larger one have lines, and nothing is known of what was inlined.
const LARGEST: usize = 8 << 20;

pub(crate) struct Unit {
    /// Where it begins in `.debug_info`.
    pub(crate) at: usize,
    /// Without the list of its files, which may be long.
    unit: gimli::Unit<Slice>,
    lines: Option<DebugLineOffset>,
    functions: Vec<Function>,
}

#[derive(Clone, Copy, Debug)]
struct Function {
    start: u64,
    end: u64,
    entry: usize,
}

/// A function that was inlined at an address, and where it is called.
struct Inlined {
    function: Option<String>,
    call: Location,
}

impl Unit {
    pub(crate) fn read(dwarf: &Dwarf, at: usize) -> Result<Self> {
        let header = dwarf.debug_info.header_from_offset(DebugInfoOffset(at))?;
        let mut unit = dwarf.unit(header)?;
        let lines = unit.line_program.take();
        Ok(Self {
            at,
            unit,
            lines: lines.map(|program| program.header().offset()),
            functions: Vec::new(),
        })
    }

    /// Whether some of its code is at an address.
    pub(crate) fn covers(&self, dwarf: &Dwarf, address: u64) -> Result<bool> {
        let unit = self.unit.unit_ref(dwarf);
        let mut entries = unit.entries_raw(None)?;
        match entries.read_abbreviation()? {
            Some(abbreviation) => Entry::read(&mut entries, abbreviation)?.has(&unit, address),
            None => Ok(false),
        }
    }

    /// Notes where its functions are, of at most so many.
    pub(crate) fn list_functions(&mut self, dwarf: &Dwarf, most: usize) -> Result<()> {
        if self.length() > LARGEST {
            return Ok(());
        }
        let unit = self.unit.unit_ref(dwarf);
        let mut functions = Vec::new();
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() && functions.len() < most {
            let entry = entries.next_offset().0;
            let Some(abbreviation) = entries.read_abbreviation()? else {
                continue;
            };
            if abbreviation.tag() == gimli::DW_TAG_subprogram {
                let function = Entry::read(&mut entries, abbreviation)?;
                function.each_range(&unit, |start, end| {
                    functions.push(Function { start, end, entry });
                })?;
            } else {
                entries.skip_attributes(abbreviation.attributes())?;
            }
        }
        functions.truncate(most);
        functions.shrink_to_fit();
        self.functions = functions;
        Ok(())
    }

    /// Bytes of its entries.
    pub(crate) fn length(&self) -> usize {
        self.unit.header.length_including_self()
    }

    /// How many are noted.
    pub(crate) fn functions(&self) -> usize {
        self.functions.len()
    }

    /// The calls at an address: those that were inlined, then the one into which
    /// they were.
    pub(crate) fn calls(&self, dwarf: &Dwarf, index: &Index, address: u64) -> Result<Vec<Call>> {
        let unit = self.unit.unit_ref(dwarf);
        let mut lines = match self.lines {
            Some(at) => Some(Lines::new(&unit, at)?),
            None => None,
        };
        let mut location = match &mut lines {
            Some(lines) => lines.find(address)?,
            None => None,
        };
        let has = |function: &&Function| (function.start..function.end).contains(&address);
        let mut functions = match self.functions.iter().find(has) {
            Some(function) => inlined(dwarf, index, &unit, UnitOffset(function.entry), address)?,
            None if location.is_some() => vec![Inlined::outer(None)],
            None => Vec::new(),
        };
        let mut calls = Vec::with_capacity(functions.len());
        while let Some(Inlined { function, call }) = functions.pop() {
            let at = location.replace(call).unwrap_or_default();
            let lines = lines.as_ref();
            calls.push(Call {
                function,
                file: at.file.and_then(|file| lines?.path(&unit, file)),
                line: at.line,
            });
        }
        Ok(calls)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.functions.capacity() * size_of::<Function>()
    }
}

impl Inlined {
    /// The function itself, into which the others were inlined.
    fn outer(function: Option<String>) -> Self {
        Self {
            function,
            call: Location::default(),
        }
    }
}

/// The function of an entry, then those inlined at an address, the innermost last.
fn inlined(
    dwarf: &Dwarf,
    index: &Index,
    unit: &UnitRef<'_>,
    entry: UnitOffset,
    address: u64,
) -> Result<Vec<Inlined>> {
    let mut found = Vec::new();
    let mut entries = unit.entries_raw(Some(entry))?;
    let end = entries.next_depth();
    if let Some(abbreviation) = entries.read_abbreviation()? {
        let function = Entry::read(&mut entries, abbreviation)?;
        found.push(Inlined::outer(function.name(dwarf, index, unit)));
    }
    while entries.next_depth() > end {
        let depth = entries.next_depth();
        let Some(abbreviation) = entries.read_abbreviation()? else {
            continue;
        };
        match abbreviation.tag() {
            gimli::DW_TAG_inlined_subroutine => {
                let function = Entry::read(&mut entries, abbreviation)?;
                if function.has(unit, address)? {
                    found.push(Inlined {
                        function: function.name(dwarf, index, unit),
                        call: Location {
                            file: function.call_file(unit),
                            line: function.call_line(),
                        },
                    });
                } else {
                    skip_below(&mut entries, depth)?;
                }
            }
            tag => {
                entries.skip_attributes(abbreviation.attributes())?;
                if tag == gimli::DW_TAG_subprogram {
                    skip_below(&mut entries, depth)?;
                }
            }
        }
    }
    Ok(found)
}

/// Skips what stands below an entry at a depth.
fn skip_below(entries: &mut EntriesRaw<'_, '_, Slice>, depth: isize) -> Result<()> {
    while entries.next_depth() > depth {
        if let Some(abbreviation) = entries.read_abbreviation()? {
            entries.skip_attributes(abbreviation.attributes())?;
        }
    }
    Ok(())
}
