//! A file of which code runs in this process: its symbols and debug information.
#![expect(
    unsafe_code,
    reason = "what is read from a mapped file stands beside the mapping that it borrows from; reading the file \
              instead would copy all of its debug information"
)]

use std::fmt;
use std::fs::File;
use std::slice;
use std::time::Instant;

use gimli::{EndianSlice, NativeEndian, SectionId};
use memmap2::{Mmap, UncheckedAdvice};
use object::read::elf::{ElfFile, FileHeader, Sym, SymbolTable};
use object::{CompressionFormat, Object, ObjectSection, ObjectSegment, elf};

use crate::pipeline::export::frames::call::Call;
use crate::pipeline::export::frames::debug_info::{DebugInfo, Slice};

#[cfg(target_pointer_width = "32")]
type Header = elf::FileHeader32<object::NativeEndian>;
#[cfg(target_pointer_width = "64")]
type Header = elf::FileHeader64<object::NativeEndian>;

/// Bytes of a file that may have been read before its pages are given back.
const MOST_READ: usize = 4 << 20;

/// A file, mapped. Its pages count as memory of the process only while they are
/// read: [`release`](Self::release) gives them back.
pub(crate) struct Image {
    /// `None`: the file has no debug information that can be read.
    info: Option<DebugInfo>,
    elf: ElfFile<'static, Header>,
    /// Bytes of its symbol tables.
    symbols: usize,
    segments: Vec<Segment>,
    /// Bytes that were read since pages were given back, about.
    read: usize,
    /// What all of the above borrows from: dropped last.
    memory: Mmap,
}

/// A function in the symbol table.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    start: u64,
    end: u64,
    name: &'static str,
}

/// A part of the file that is loaded.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// In the file.
    offset: u64,
    length: u64,
    address: u64,
}

impl Image {
    /// Maps a file; `None` where that cannot be done, or it is no program of this
    /// machine.
    pub(crate) fn open(path: &str) -> Option<Self> {
        let file = File::open(path).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        // SAFETY: nobody writes to a program that runs, and who shortens a library
        // takes the process down where its code runs next.
        let memory = unsafe { Mmap::map(&file) }.ok()?;
        // SAFETY: the memory stays where it is as long as `memory` lives, which is
        // the last field to be dropped of the value that borrows it, and nothing
        // that is borrowed leaves this module and those below `debug_info`.
        let bytes: &'static [u8] = unsafe { slice::from_raw_parts(memory.as_ptr(), memory.len()) };
        let elf = ElfFile::<Header>::parse(bytes).ok()?;
        let symbols = [elf.elf_symbol_table(), elf.elf_dynamic_symbol_table()];
        Some(Self {
            info: DebugInfo::new(|id| debug_section(&elf, id)),
            segments: elf.segments().map(|part| segment(&part)).collect(),
            symbols: symbols
                .iter()
                .map(|table| size_of_val(table.symbols()))
                .sum(),
            elf,
            read: 0,
            memory,
        })
    }

    /// Looks through the debug information, once, until then at most; whether that
    /// is done. A large file takes several such times.
    pub(crate) fn prepare(&mut self, until: Instant) -> bool {
        let Some(info) = &mut self.info else {
            return true;
        };
        while info.read_on() {
            give_back(&self.memory);
            if Instant::now() >= until {
                return false;
            }
        }
        true
    }

    /// The address that the file itself gives to what stands at an offset.
    pub(crate) fn address(&self, offset: u64) -> Option<u64> {
        self.segments.iter().find_map(|segment| {
            let within = offset.checked_sub(segment.offset)?;
            (within < segment.length).then(|| segment.address + within)
        })
    }

    /// The calls at an address: those that were inlined, then the one into which
    /// they were. None where the file knows nothing of it.
    pub(crate) fn calls(&mut self, address: u64) -> Vec<Call> {
        let mut calls = Vec::new();
        if let Some(info) = &mut self.info {
            calls = info.calls(address);
            self.read += info.take_read();
        }
        if let Some(symbol) = self.symbol(address) {
            if calls.is_empty() {
                calls.push(Call::default());
            }
            // It has the whole name, which lines without more have not.
            if let Some(outer) = calls.last_mut() {
                outer.function = Some(symbol.name.to_owned());
            }
        }
        self.read += self.symbols;
        if self.read >= MOST_READ {
            self.release();
        }
        calls
    }

    /// Gives the pages of the file back. They stay in the system's cache of files.
    pub(crate) fn release(&mut self) {
        self.read = 0;
        give_back(&self.memory);
    }

    /// Frees what was kept for the next addresses.
    pub(crate) fn forget_units(&mut self) {
        if let Some(info) = &mut self.info {
            info.forget_units();
        }
    }

    /// The innermost function there. The tables are read each time: what is found
    /// is remembered, and sorted copies of large tables take megabytes.
    fn symbol(&self, address: u64) -> Option<Symbol> {
        let tables = [
            self.elf.elf_symbol_table(),
            self.elf.elf_dynamic_symbol_table(),
        ];
        let all = tables
            .into_iter()
            .flat_map(|table| table.symbols().iter().map(move |symbol| (table, symbol)));
        all.filter_map(|(table, symbol)| function(table, symbol, address))
            .max_by_key(|symbol| (symbol.start, symbol.end))
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

fn give_back(memory: &Mmap) {
    // SAFETY: the mapping is of a file and nobody writes into it, so that the pages
    // have the same bytes when they are read again.
    let _ = unsafe { memory.unchecked_advise(UncheckedAdvice::DontNeed) };
}

/// A section's bytes; none where they are compressed.
fn debug_section(elf: &ElfFile<'static, Header>, id: SectionId) -> Slice {
    let data = elf
        .section_by_name(id.name())
        .and_then(|section| section.compressed_data().ok())
        .filter(|data| data.format == CompressionFormat::None);
    EndianSlice::new(data.map_or(&[], |data| data.data), NativeEndian)
}

/// The symbol, if it is a function that has the address. Those that only have a name
/// are left out: what follows the one before need not be part of it, least of all in a
/// stripped file.
#[inline]
fn function(
    table: &SymbolTable<'static, Header>,
    symbol: &<Header as FileHeader>::Sym,
    address: u64,
) -> Option<Symbol> {
    let (start, size) = (
        number(symbol.st_value(object::NativeEndian)),
        number(symbol.st_size(object::NativeEndian)),
    );
    let is_within = address.checked_sub(start)? < size;
    let is_function = is_within
        && matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_GNU_IFUNC)
        && symbol.is_definition(object::NativeEndian, table.strings());
    if !is_function {
        return None;
    }
    let name = table.symbol_name(object::NativeEndian, symbol).ok()?;
    Some(Symbol {
        start,
        end: start.saturating_add(size),
        name: std::str::from_utf8(name).ok()?,
    })
}

fn number(word: impl Into<u64>) -> u64 {
    word.into()
}

fn segment<'data>(segment: &impl ObjectSegment<'data>) -> Segment {
    let (offset, length) = segment.file_range();
    Segment {
        offset,
        length,
        address: segment.address(),
    }
}

#[cfg(test)]
mod tests;
