//! A file of which code runs in this process: its symbols and debug information.
#![expect(
    unsafe_code,
    reason = "what is read from a mapped file stands beside the mapping that it borrows from; reading the file \
              instead would copy all of its debug information"
)]

use std::fmt;
use std::fs::File;
use std::slice;

use addr2line::Context;
use addr2line::gimli::{self, Dwarf, EndianSlice, NativeEndian, SectionId};
use memmap2::Mmap;
use object::read::elf::ElfFile;
use object::{CompressionFormat, Object, ObjectSection, ObjectSegment, ObjectSymbol, SymbolKind};

#[cfg(target_pointer_width = "32")]
type Header = object::elf::FileHeader32<object::NativeEndian>;
#[cfg(target_pointer_width = "64")]
type Header = object::elf::FileHeader64<object::NativeEndian>;

type Slice = EndianSlice<'static, NativeEndian>;

/// A file, mapped.
pub(super) struct Image {
    /// `None`: the file has no debug information that can be read.
    lines: Option<Context<Slice>>,
    /// Functions by their beginning.
    symbols: Vec<Symbol>,
    segments: Vec<Segment>,
    /// What all of the above borrows from: dropped last.
    _memory: Mmap,
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

/// A function that was called, or inlined, as the file knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    /// Not demangled.
    pub(super) function: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
}

impl Image {
    /// Maps a file; `None` where that cannot be done, or it is no program of this
    /// machine.
    pub(super) fn open(path: &str) -> Option<Self> {
        let file = File::open(path).ok()?;
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        // SAFETY: nobody writes to a program that runs, and who shortens a library
        // takes the process down where its code runs next.
        let memory = unsafe { Mmap::map(&file) }.ok()?;
        // SAFETY: the memory stays where it is as long as `memory` lives, which is
        // the last field to be dropped of the value that borrows it, and nothing
        // that is borrowed leaves this module.
        let bytes: &'static [u8] = unsafe { slice::from_raw_parts(memory.as_ptr(), memory.len()) };
        let elf = ElfFile::<Header>::parse(bytes).ok()?;
        Some(Self {
            lines: lines(&elf),
            symbols: symbols(&elf),
            segments: elf.segments().map(|part| segment(&part)).collect(),
            _memory: memory,
        })
    }

    /// The address that the file itself gives to what stands at an offset.
    pub(super) fn address(&self, offset: u64) -> Option<u64> {
        self.segments.iter().find_map(|segment| {
            let within = offset.checked_sub(segment.offset)?;
            (within < segment.length).then(|| segment.address + within)
        })
    }

    /// The calls at an address: those that were inlined, then the one into which
    /// they were. None where the file knows nothing of it.
    pub(super) fn calls(&self, address: u64) -> Vec<Call> {
        let mut calls = self.inlined(address);
        if let Some(symbol) = self.symbol(address) {
            if calls.is_empty() {
                calls.push(Call::default());
            }
            // It has the whole name, which lines without more have not.
            if let Some(outer) = calls.last_mut() {
                outer.function = Some(symbol.name.to_owned());
            }
        }
        calls
    }

    fn symbol(&self, address: u64) -> Option<&Symbol> {
        let behind = self
            .symbols
            .partition_point(|symbol| symbol.start <= address);
        let symbol = self.symbols.get(behind.checked_sub(1)?)?;
        (address < symbol.end).then_some(symbol)
    }

    /// What the debug information tells.
    fn inlined(&self, address: u64) -> Vec<Call> {
        let mut calls = Vec::new();
        let frames = self
            .lines
            .as_ref()
            .and_then(|lines| lines.find_frames(address).skip_all_loads().ok());
        let Some(mut frames) = frames else {
            return calls;
        };
        while let Ok(Some(frame)) = frames.next() {
            let function = frame.function.as_ref().and_then(|f| f.raw_name().ok());
            let location = frame.location;
            // Nothing is known of it but that it is in this unit.
            if function.is_some() || location.is_some() {
                calls.push(Call {
                    function: function.map(|name| name.into_owned()),
                    file: location.as_ref().and_then(|at| at.file).map(str::to_owned),
                    line: location.and_then(|at| at.line),
                });
            }
        }
        calls
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("symbols", &self.symbols.len())
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

fn lines(elf: &ElfFile<'static, Header>) -> Option<Context<Slice>> {
    let section = |id: SectionId| Ok::<_, gimli::Error>(debug_section(elf, id.name()));
    Context::from_dwarf(Dwarf::load(section).ok()?).ok()
}

/// A section's bytes; none where they are compressed.
fn debug_section(elf: &ElfFile<'static, Header>, name: &str) -> Slice {
    let data = elf
        .section_by_name(name)
        .and_then(|section| section.compressed_data().ok())
        .filter(|data| data.format == CompressionFormat::None);
    EndianSlice::new(data.map_or(&[], |data| data.data), NativeEndian)
}

/// The functions, without those that only have a name: what follows the one
/// before need not be part of it, least of all in a stripped file.
fn symbols(elf: &ElfFile<'static, Header>) -> Vec<Symbol> {
    let symbol = |symbol: object::read::elf::ElfSymbol<'static, '_, Header>| {
        let (start, size) = (symbol.address(), symbol.size());
        let is_function = symbol.is_definition() && symbol.kind() == SymbolKind::Text && size > 0;
        let name = symbol.name().ok().filter(|_| is_function)?;
        let end = start.saturating_add(size);
        Some(Symbol { start, end, name })
    };
    let all = elf.symbols().chain(elf.dynamic_symbols());
    let mut symbols: Vec<Symbol> = all.filter_map(symbol).collect();
    symbols.sort_unstable_by_key(|symbol| (symbol.start, symbol.end));
    symbols.shrink_to_fit();
    symbols
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
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_not_opened() {
        for path in [
            "/nonexistent",
            "/proc/self/maps",
            "/dev/null",
            "/",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ] {
            assert!(Image::open(path).is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_outside_of_functions_has_no_name() {
        let image = Image::open("/proc/self/exe").unwrap();
        let first = image.symbols.first().unwrap();
        assert!(image.symbol(first.start).is_some());
        assert!(image.symbol(first.start - 1).is_none());
        let last = image.symbols.last().unwrap();
        assert!(image.symbol(last.end).is_none());
        assert_eq!(image.calls(1 << 60), []);
        assert_eq!(image.address(u64::MAX), None);
    }
}
