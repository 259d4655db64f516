//! Files and lines of a unit.

use gimli::{DebugLineOffset, IncompleteLineProgram, LineRows, Result};

use crate::pipeline::export::frames::debug_info::{Slice, UnitRef};

/// The line program of a unit.
pub(crate) struct Lines(LineRows<Slice, IncompleteLineProgram<Slice>>);

/// Where code is from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Location {
    pub(crate) file: Option<u64>,
    pub(crate) line: Option<u32>,
}

impl Lines {
    pub(crate) fn new(unit: &UnitRef<'_>, at: DebugLineOffset) -> Result<Self> {
        let size = unit.header.address_size();
        let program = unit
            .dwarf
            .debug_line
            .program(at, size, unit.comp_dir, unit.name)?;
        Ok(Self(program.rows()))
    }

    /// Runs the program up to an address; may be called once.
    pub(crate) fn find(&mut self, address: u64) -> Result<Option<Location>> {
        let mut before: Option<(u64, Location)> = None;
        while let Some((_, row)) = self.0.next_row()? {
            if let Some((start, location)) = before {
                if (start..row.address()).contains(&address) {
                    return Ok(Some(location));
                }
            }
            let line = row.line().and_then(|line| u32::try_from(line.get()).ok());
            let file = Some(row.file_index());
            before = (!row.end_sequence()).then(|| (row.address(), Location { file, line }));
        }
        Ok(None)
    }

    /// The path of a file, as the compiler knew it.
    pub(crate) fn path(&self, unit: &UnitRef<'_>, file: u64) -> Option<String> {
        let header = self.0.header();
        let file = header.file(file)?;
        let text = |value| -> Option<String> {
            let text = unit.attr_string(value).ok()?;
            Some(text.to_string_lossy().into_owned())
        };
        let mut path = unit.comp_dir.map_or_else(String::new, |directory| {
            directory.to_string_lossy().into_owned()
        });
        // The directory 0 is the unit's own.
        if file.directory_index() != 0 {
            if let Some(directory) = file.directory(header).and_then(text) {
                append(&mut path, &directory);
            }
        }
        append(&mut path, &text(file.path_name())?);
        Some(path)
    }
}

fn append(path: &mut String, below: &str) {
    if below.starts_with('/') {
        path.clear();
    } else if !path.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    path.push_str(below);
}
