//! Parsers of the texts in `/proc`, see proc(5). They take bytes: the name of
//! a program need not be UTF-8.

/// What is used of `/proc/self/stat`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stat {
    /// Field 20.
    pub(super) threads: u64,
    /// Field 22: clock ticks between the start of the machine and the start of the process.
    pub(super) start: u64,
}

/// Parses `/proc/self/stat`. The name in field 2 stands in parentheses and may
/// hold blanks and parentheses; no later field has one.
pub(super) fn stat(text: &[u8]) -> Option<Stat> {
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let fields = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    // The first is field 3.
    let mut fields = fields.split_ascii_whitespace();
    let threads = fields.nth(17)?.parse().ok()?;
    let start = fields.nth(1)?.parse().ok()?;
    // The last field may have been cut: there has to be another one.
    fields.next()?;
    Some(Stat { threads, start })
}

/// The first three figures of `/proc/self/statm`, in pages: size of the address
/// space, resident, shared.
pub(super) fn statm(text: &[u8]) -> Option<[u64; 3]> {
    let mut fields = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
    let mut next = || fields.next()?.parse().ok();
    let figures = [next()?, next()?, next()?];
    fields.next()?;
    Some(figures)
}

/// When the machine started, seconds since the epoch: `btime` of `/proc/stat`.
pub(super) fn boot_time(text: &[u8]) -> Option<u64> {
    let line = text
        .split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"btime "))?;
    std::str::from_utf8(line).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &str = "S 1 2 3 0 -1 4194560 100 0 2 0 55 44 0 0 20 0 7 0 9876 1000 20 184467";

    #[test]
    fn the_name_of_a_program_may_be_anything() {
        for name in ["shop", "a b", "a) S 1 (b", "))", "", "\n"] {
            let text = format!("17 ({name}) {FIELDS}\n");
            let expected = Stat {
                threads: 7,
                start: 9876,
            };
            assert_eq!(stat(text.as_bytes()), Some(expected), "{name}");
        }
        let mut text = b"17 (\xff\xfe) ".to_vec();
        text.extend(FIELDS.bytes());
        assert!(stat(&text).is_some());
    }

    #[test]
    fn no_part_of_a_text_yields_a_wrong_figure() {
        let text = format!("17 (a b) {FIELDS}");
        for end in 0..text.len() {
            match stat(&text.as_bytes()[..end]) {
                None => {}
                Some(stat) => assert_eq!((stat.threads, stat.start), (7, 9876), "{end}"),
            }
        }
        assert_eq!(stat(text.replace(" 7 ", " x ").as_bytes()), None);
        assert_eq!(stat(text.replace(" 7 ", " -7 ").as_bytes()), None);
    }

    #[test]
    fn memory_is_in_pages() {
        assert_eq!(statm(b"5000 300 200 1 0 400 0\n"), Some([5000, 300, 200]));
        for text in [&b""[..], b"5000", b"5000 300", b"5000 300 20", b"a b c d"] {
            assert_eq!(statm(text), None);
        }
    }

    #[test]
    fn the_boot_time_is_found_by_name() {
        let text = b"cpu  1 2 3\nintr 5 btime 9\nctxt 4\nbtime 1700000000\nprocesses 1\n";
        assert_eq!(boot_time(text), Some(1_700_000_000));
        assert_eq!(boot_time(b"cpu 1\nbtime x\n"), None);
        assert_eq!(boot_time(b""), None);
    }
}
