//! Names and lines of addresses, from the files that are mapped into this process.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};

use addr2line::Loader;
use object::read::{Object, ObjectSegment, ObjectSymbol, ReadCache};

use super::frame::Frame;
use super::plumbing;

/// Of a frame for which the debug information has no name.
const UNKNOWN: &str = "{unknown}";

/// Mapped files and their debug information, loaded when the first address in
/// one is asked for. All of it is ours: there is no lock that another thread
/// could wait for, or that a fork could leave locked.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    mappings: Vec<Mapping>,
    /// By path; `None`: cannot be used.
    files: HashMap<String, Option<Module>>,
}

impl Symbols {
    /// The application's frames at an address: several where functions were
    /// inlined, none where the code is not the application's.
    pub(super) fn frames(&mut self, address: u64) -> Vec<Frame> {
        let Some(mapping) = self.mapping(address) else {
            return vec![Frame::unnamed(None, address)];
        };
        if plumbing::is_system(&mapping.path) {
            return Vec::new();
        }
        let offset = address - mapping.start + mapping.offset;
        let module = self
            .files
            .entry(mapping.path.clone())
            .or_insert_with(|| Module::load(&mapping.path));
        let found = module
            .as_ref()
            .and_then(|module| Some((module, module.address(offset)?)));
        match found {
            Some((module, address)) => module.frames(&mapping.path, address),
            None => vec![Frame::unnamed(Some(&mapping.path), offset)],
        }
    }

    /// Unloads everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The mapping of an address: perhaps of a library that was loaded since the
    /// mappings were read.
    fn mapping(&mut self, address: u64) -> Option<Mapping> {
        let find = |mappings: &[Mapping]| {
            let has = |mapping: &&Mapping| (mapping.start..mapping.end).contains(&address);
            mappings.iter().find(has).cloned()
        };
        find(&self.mappings).or_else(|| {
            self.mappings = fs::read_to_string("/proc/self/maps")
                .map(|maps| maps.lines().filter_map(Mapping::parse).collect())
                .unwrap_or_default();
            find(&self.mappings)
        })
    }
}

/// Executable memory that is a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    start: u64,
    end: u64,
    /// Where in the file it begins.
    offset: u64,
    path: String,
}

impl Mapping {
    /// Reads a line of `/proc/self/maps`.
    fn parse(line: &str) -> Option<Self> {
        let (range, rest) = line.split_once(' ')?;
        let (permissions, rest) = rest.split_once(' ')?;
        let (offset, rest) = rest.split_once(' ')?;
        // Device and inode: a container's differ from those of the file.
        let path = rest.splitn(3, ' ').nth(2)?.trim_start();
        let (start, end) = range.split_once('-')?;
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        let mapping = Self {
            start: number(start)?,
            end: number(end)?,
            offset: number(offset)?,
            path: path.to_owned(),
        };
        (permissions.contains('x') && !path.is_empty()).then_some(mapping)
    }
}

/// A mapped file.
struct Module {
    loader: Loader,
    /// Offset in the file, length and address of what is loaded from it.
    segments: Vec<(u64, u64, u64)>,
    /// Where each function of the symbol table begins and ends, in order.
    functions: Vec<(u64, u64)>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

impl Module {
    fn load(path: &str) -> Option<Self> {
        let open = if is_own_executable(path) {
            // It opens what runs, also when another file has its name by now.
            "/proc/self/exe"
        } else if path.ends_with(" (deleted)") || !path.starts_with('/') {
            return None;
        } else {
            path
        };
        let file = ReadCache::new(File::open(open).ok()?);
        let object = object::File::parse(&file).ok()?;
        let segments = object.segments().map(|segment| {
            let (offset, length) = segment.file_range();
            (offset, length, segment.address())
        });
        let symbols = object.symbols().chain(object.dynamic_symbols());
        let sized = symbols.filter(|symbol| symbol.is_definition() && symbol.size() > 0);
        let range = |start: u64, length| (start, start.saturating_add(length));
        let mut functions: Vec<(u64, u64)> = sized
            .map(|symbol| range(symbol.address(), symbol.size()))
            .collect();
        functions.sort_unstable();
        functions.dedup();
        Some(Self {
            segments: segments.collect(),
            functions,
            loader: Loader::new(open).ok()?,
        })
    }

    /// The address that the file itself gives to what stands at an offset.
    fn address(&self, offset: u64) -> Option<u64> {
        self.segments.iter().find_map(|(start, length, address)| {
            let within = offset.checked_sub(*start)?;
            (within < *length).then(|| address + within)
        })
    }

    /// The name in the symbol table. The loader's is that of the last symbol
    /// before the address, however far away, so that the functions of a stripped
    /// file would have names of others.
    fn symbol(&self, address: u64) -> Option<String> {
        let at = self
            .functions
            .partition_point(|(start, _)| *start <= address);
        let (_, end) = self.functions.get(at.checked_sub(1)?)?;
        let symbol = self.loader.find_symbol(address).filter(|_| address < *end);
        symbol.map(demangled)
    }

    fn frames(&self, path: &str, address: u64) -> Vec<Frame> {
        let symbol = self.symbol(address);
        let mut calls = self.calls(address);
        match (calls.last_mut(), symbol) {
            // The symbol is that of the function into which others were inlined,
            // and has its whole name.
            (Some(outer), Some(symbol)) => outer.function = symbol,
            (None, Some(function)) => calls.push(Call {
                function,
                file: None,
                line: None,
            }),
            (None, None) => return vec![Frame::unnamed(Some(path), address)],
            (Some(_), None) => {}
        }
        let frame = |call: Call| Frame::of(&call.function, call.file.as_deref(), call.line);
        calls.into_iter().filter_map(frame).collect()
    }

    /// What the debug information tells.
    fn calls(&self, address: u64) -> Vec<Call> {
        let mut calls = Vec::new();
        let Ok(mut frames) = self.loader.find_frames(address) else {
            return calls;
        };
        while let Ok(Some(frame)) = frames.next() {
            let raw = frame.function.as_ref().and_then(|f| f.raw_name().ok());
            let location = frame.location;
            // Nothing is known of it but that it is in this unit.
            if raw.is_none() && location.is_none() {
                continue;
            }
            calls.push(Call {
                function: raw.map_or_else(|| UNKNOWN.to_owned(), |raw| demangled(&raw)),
                file: location.as_ref().and_then(|at| at.file).map(str::to_owned),
                line: location.and_then(|at| at.line),
            });
        }
        calls
    }
}

/// A function that was called, or inlined.
#[derive(Debug)]
struct Call {
    function: String,
    file: Option<String>,
    line: Option<u32>,
}

/// Without the hashes that tell generic instances apart.
fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

fn is_own_executable(path: &str) -> bool {
    fs::read_link("/proc/self/exe").is_ok_and(|own| own.as_os_str() == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executable_mappings_of_files_are_read() {
        let mapping = |path: &str| {
            Some(Mapping {
                start: 0x5555_5555_6000,
                end: 0x5555_5555_8000,
                offset: 0x2000,
                path: path.to_owned(),
            })
        };
        for (line, expected) in [
            (
                "555555556000-555555558000 r-xp 00002000 fd:01 1234  /opt/my shop/shop",
                mapping("/opt/my shop/shop"),
            ),
            (
                "555555556000-555555558000 r-xp 00002000 fd:01 1234  /opt/shop (deleted)",
                mapping("/opt/shop (deleted)"),
            ),
            (
                "555555556000-555555558000 r-xp 00002000 00:00 0      [vdso]",
                mapping("[vdso]"),
            ),
            (
                "555555556000-555555558000 r--p 00002000 fd:01 1234  /opt/shop",
                None,
            ),
            ("555555556000-555555558000 r-xp 00002000 00:00 0 ", None),
            ("555555556000-555555558000 r-xp 00002000 00:00 0", None),
            ("5555x-6 r-xp 00002000 00:00 0 /a", None),
            ("", None),
        ] {
            assert_eq!(Mapping::parse(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_code_has_its_address() {
        let mut symbols = Symbols::default();
        let frames = symbols.frames(16);
        assert_eq!(frames, [Frame::unnamed(None, 16)]);
    }

    #[test]
    fn files_that_are_gone_or_no_files_are_not_opened() {
        for path in [
            "/opt/shop (deleted)",
            "[vdso]",
            "/nonexistent",
            "/proc/self/maps",
        ] {
            assert!(Module::load(path).is_none(), "{path}");
        }
    }

    #[test]
    fn forgotten_files_are_loaded_again() {
        let mut symbols = Symbols::default();
        // Code of the standard library: no frames.
        let address = std::thread::yield_now as fn() as usize as u64;
        assert_eq!(symbols.frames(address), []);
        assert_eq!(symbols.files.len(), 1);
        symbols.forget();
        assert_eq!(symbols.files.len(), 0);
        assert_eq!(symbols.frames(address), []);
        assert_eq!(symbols.files.len(), 1);
    }
}
