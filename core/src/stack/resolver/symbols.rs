//! Names and lines of addresses, from the files that are mapped into this process.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

use super::frame::Frame;
use super::image::{Call, Image};
use super::plumbing;

/// How long the mappings hold at least.
const REREAD: Duration = Duration::from_millis(100);

/// Of a frame for which the debug information has no name.
const UNKNOWN: &str = "{unknown}";

/// Mapped files and their debug information, loaded when the first address in
/// one is asked for. All of it is ours: there is no lock that another thread
/// could wait for, or that a fork could leave locked.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    mappings: Vec<Mapping>,
    /// When those were read.
    read: Option<Instant>,
    /// By path; `None`: cannot be used.
    files: HashMap<String, Option<Image>>,
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
        let image = self
            .files
            .entry(mapping.path.clone())
            .or_insert_with(|| open(&mapping.path));
        let Some(address) = image.as_ref().and_then(|image| image.address(offset)) else {
            return vec![Frame::unnamed(Some(&mapping.path), offset)];
        };
        let calls = image
            .as_ref()
            .map_or_else(Vec::new, |image| image.calls(address));
        if calls.is_empty() {
            return vec![Frame::unnamed(Some(&mapping.path), address)];
        }
        calls.iter().filter_map(frame).collect()
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
            // Code that is in no file would have them read again and again.
            let now = Instant::now();
            let is_new = |read: Instant| now.saturating_duration_since(read) < REREAD;
            if self.read.is_some_and(is_new) {
                return None;
            }
            self.read = Some(now);
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

/// Opens a file by its path among the mappings.
fn open(path: &str) -> Option<Image> {
    let is_own = fs::read_link("/proc/self/exe").is_ok_and(|own| own.as_os_str() == path);
    if is_own {
        // What runs, also where another file has its name by now.
        Image::open("/proc/self/exe")
    } else if path.ends_with(" (deleted)") {
        None
    } else {
        Image::open(path)
    }
}

fn frame(call: &Call) -> Option<Frame> {
    let function = match &call.function {
        // Without the hashes that tell generic instances apart.
        Some(name) => format!("{:#}", rustc_demangle::demangle(name)),
        None => UNKNOWN.to_owned(),
    };
    Frame::of(&function, call.file.as_deref(), call.line)
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
    fn what_runs_is_opened_and_what_is_gone_is_not() {
        let own = std::env::current_exe().unwrap();
        assert!(open(own.to_str().unwrap()).is_some());
        for path in ["/opt/shop (deleted)", "[vdso]", "/nonexistent"] {
            assert!(open(path).is_none(), "{path}");
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
