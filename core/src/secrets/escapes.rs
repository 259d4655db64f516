//! Texts with escapes in them, read in all the ways that servers and formats read these.

use crate::secrets::decode::any_decoded;
use crate::secrets::work_counter;

/// A text of more bytes with percent signs in it is taken for secret, unseen.
const MAX_ENCODED: usize = 16 * 1_024;

/// How a backslash is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `\u0070`, `\x70`, `\160`, `\n`: C, JSON, PostgreSQL's `E''`.
    Pending,
    /// `\0070`, `\+000070`: SQL's `U&''`.
    Digits,
    /// The character behind it: MySQL.
    Plain,
}

/// Whether `test` is true of `text` without its escapes. What was escaped twice is read
/// twice.
pub(super) fn any_unescaped(text: &str, test: impl Fn(&str) -> bool) -> bool {
    has_backslash(text, &test)
        || (is_percent_encoded(text) && any_decoded::<MAX_ENCODED>(text, &test))
}

fn has_backslash(text: &str, test: &impl Fn(&str) -> bool) -> bool {
    if !text.contains('\\') {
        return false;
    }
    let mut plain = String::with_capacity(text.len());
    [Style::Pending, Style::Digits, Style::Plain]
        .into_iter()
        .any(|style| {
            plain.clear();
            unescape(text, style, &mut plain);
            test(&plain)
        })
}

/// The text of hexadecimal digits, if these are all of `digits`. Bytes that are no text are
/// left out.
pub(super) fn hexadecimal(digits: &str) -> Option<String> {
    let pairs = digits.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    Some(valid(&bytes?))
}

fn valid(bytes: &[u8]) -> String {
    bytes.utf8_chunks().map(|chunk| chunk.valid()).collect()
}

fn is_percent_encoded(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    parts.any(|behind| {
        let digits = behind.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            || behind.starts_with("25")
    })
}

/// Runs of backslashes count as one: each format around another doubles them.
fn unescape(text: &str, style: Style, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let escape = escape.trim_start_matches('\\');
        let (character, len) = match style {
            Style::Plain => (None, 0),
            Style::Pending => letters(escape),
            Style::Digits => digits(escape),
        };
        out.extend(character);
        rest = escape.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    work_counter::count(text.len());
}

fn letters(escape: &str) -> (Option<char>, usize) {
    let behind = escape.get(1..).unwrap_or_default();
    match escape.as_bytes().first() {
        Some(b'u') if behind.starts_with('{') => {
            let end = behind.find('}').unwrap_or_default().min(8);
            code(behind.get(1..end).unwrap_or_default(), 16, end + 2)
        }
        Some(b'u') => code(behind.get(..4).unwrap_or_default(), 16, 5),
        Some(b'U') => code(behind.get(..8).unwrap_or_default(), 16, 9),
        Some(b'x') => code(behind.get(..2).unwrap_or_default(), 16, 3),
        Some(b'0'..=b'7') => code(escape.get(..3).unwrap_or_default(), 8, 3),
        Some(b'n' | b'r' | b't' | b'b' | b'f') => (Some(' '), 1),
        _ => (None, 0),
    }
}

fn digits(escape: &str) -> (Option<char>, usize) {
    match escape.strip_prefix('+') {
        Some(behind) => code(behind.get(..6).unwrap_or_default(), 16, 7),
        None => code(escape.get(..4).unwrap_or_default(), 16, 4),
    }
}

fn code(digits: &str, radix: u32, len: usize) -> (Option<char>, usize) {
    match u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
    {
        Some(character) => (Some(character), len),
        None => (None, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read_in_all_ways() {
        for text in [
            r"\u0070ass",
            r"\\u0070ass",
            r"\u{70}ass",
            r"\U00000070ass",
            r"\x70ass",
            r"\160ass",
            r"\0070ass",
            r"\+000070ass",
            r"p\ass",
            r"p\a\s\s",
            "%70ass",
            "%2570ass",
        ] {
            assert!(any_unescaped(text, |plain| plain == "pass"), "{text}");
        }
        for text in ["pass", r"\u007", r"\", r"\u{", r"\u{}", "%", "%zz", "100%"] {
            assert!(!any_unescaped(text, |plain| plain == "pass"), "{text}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_text() {
        assert_eq!(hexadecimal("70617373").as_deref(), Some("pass"));
        assert_eq!(hexadecimal("ff7061").as_deref(), Some("pa"));
        assert_eq!(hexadecimal("7g"), None);
    }
}
