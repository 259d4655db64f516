//! Which file the code at an address is from.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the mappings hold at least.
const REREAD: Duration = Duration::from_millis(100);

/// The most that are known: a program has some hundreds.
const MOST: usize = 4 * 1024;

/// The longest line that is read.
const LONGEST: u64 = 8 * 1024;

/// The executable parts of files in this process.
#[derive(Debug, Default)]
pub(crate) struct Mappings {
    all: Vec<Mapping>,
    /// When those were read.
    read: Option<Instant>,
}

/// Executable memory that is a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Where in the file it begins.
    pub(crate) offset: u64,
    pub(crate) path: Arc<str>,
}

impl Mappings {
    /// The mapping of an address: perhaps of a library that was loaded since the
    /// mappings were read.
    pub(crate) fn of(&mut self, address: u64) -> Option<Mapping> {
        self.find(address).or_else(|| {
            // Code that is in no file would have them read again and again.
            let now = Instant::now();
            let is_new = |read: Instant| now.saturating_duration_since(read) < REREAD;
            if self.read.is_some_and(is_new) {
                return None;
            }
            self.read = Some(now);
            let maps = File::open("/proc/self/maps");
            self.all = maps.map_or_else(|_| Vec::new(), |maps| read(BufReader::new(maps)));
            self.find(address)
        })
    }

    fn find(&self, address: u64) -> Option<Mapping> {
        let has = |mapping: &&Mapping| (mapping.start..mapping.end).contains(&address);
        self.all.iter().find(has).cloned()
    }
}

impl Mapping {
    /// Reads a line of `/proc/self/maps`.
    fn parse(line: &str) -> Option<Self> {
        let (range, rest) = line.split_once(' ')?;
        let (permissions, rest) = rest.split_once(' ')?;
        let (offset, rest) = rest.split_once(' ')?;
        // Device and inode: a container's may differ from the file's.
        let path = rest.splitn(3, ' ').nth(2)?.trim_start();
        if !permissions.contains('x') || path.is_empty() {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        Some(Self {
            start: number(start)?,
            end: number(end)?,
            offset: number(offset)?,
            path: path.into(),
        })
    }
}

/// Line by line: a process may have tens of thousands of mappings, of which few are
/// code in a file.
fn read(mut maps: impl BufRead) -> Vec<Mapping> {
    let (mut all, mut line) = (Vec::new(), Vec::new());
    while all.len() < MOST && matches!(next_line(&mut maps, &mut line), Ok(1..)) {
        // Paths are bytes.
        let text = String::from_utf8_lossy(&line);
        all.extend(Mapping::parse(text.trim_end_matches('\n')));
    }
    all
}

/// The bytes of the line, or as many of them as are read at once.
fn next_line(maps: &mut impl BufRead, line: &mut Vec<u8>) -> Result<usize> {
    line.clear();
    maps.by_ref().take(LONGEST).read_until(b'\n', line)
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
                path: path.into(),
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
    fn what_is_no_text_does_not_hide_the_rest() {
        let maps = b"1000-2000 r-xp 0 fd:01 1 /opt/\xff\n2000-3000 r-xp 0 fd:01 2 /opt/shop\n";
        let paths: Vec<_> = read(&maps[..])
            .into_iter()
            .map(|mapping| mapping.path)
            .collect();
        assert_eq!(paths, ["/opt/\u{fffd}".into(), Arc::from("/opt/shop")]);
    }

    #[test]
    fn there_are_never_more_than_have_room() {
        let line = "1000-2000 r-xp 0 fd:01 1 /opt/shop\n";
        assert_eq!(read(line.repeat(2 * MOST).as_bytes()).len(), MOST);
        let long = format!("{}\n{line}", "x".repeat(1 << 20));
        assert_eq!(read(long.as_bytes()).len(), 1);
    }
}
