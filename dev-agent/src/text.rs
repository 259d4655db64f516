//! Text from outside on a terminal: harmless, and as wide as there is room.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// More marks on one character would cover other lines.
const MARKS: usize = 2;

/// Text on one line that cannot control a terminal: control characters, marks that change
/// the direction of writing, line separators and all other invisible characters are shown
/// as `·`.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut marks = 0;
    let shown = text.chars().map(|c| {
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        if is_hostile(c) || marks > MARKS {
            '·'
        } else {
            c
        }
    });
    shown.collect()
}

/// Lines for a terminal, with the colours of a `Style` and no other control sequence. All
/// output goes through this function.
#[must_use]
pub fn printable(text: &str) -> String {
    const COLORS: &[&str] = &["0m", "1m", "2m", "31m", "32m", "33m", "36m"];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let color = after.strip_prefix('[').filter(|_| c == '\x1b');
        let color = color.and_then(|code| COLORS.iter().find(|color| code.starts_with(**color)));
        if let Some(color) = color {
            out.push_str("\x1b[");
            out.push_str(color);
            rest = after.get(1 + color.len()..).unwrap_or_default();
            continue;
        }
        out.push(if c != '\n' && is_hostile(c) { '·' } else { c });
        rest = after;
    }
    out
}

/// JSON for a terminal: characters that could control it are escaped, so that it stays
/// the same JSON.
#[must_use]
pub fn printable_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !is_hostile(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

/// Columns on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Exactly that many columns: padded, or cut with `…` at the end.
pub(super) fn fit(text: &str, room: usize) -> String {
    pad(cut(text, room), room)
}

/// At most that many columns.
pub(super) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let Some(kept) = room.checked_sub(1) else {
        return String::new();
    };
    format!("{}…", head(text, kept))
}

/// A request's method and path or URL in at most that many columns: host and end
/// are kept.
pub(super) fn cut_path(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let (method, place) = match text.split_once(' ') {
        Some((method, place)) => (format!("{method} "), place),
        None => (String::new(), text),
    };
    let (host, path) = match place.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (format!("{scheme}://{host}"), path)
        }
        None => (String::new(), place),
    };
    for front in [format!("{method}{host}"), method] {
        let left = room.saturating_sub(width(&front) + 2);
        let path = if front.contains("://") { path } else { place };
        if left >= SHORTEST && !path.is_empty() {
            let end = tail(path, left);
            // Whole parts, where the last one is short enough.
            let end = end.find('/').map_or(end, |at| end.get(at..).unwrap_or(end));
            let between = if front.contains("://") { "/…" } else { "…" };
            return format!("{front}{between}{end}");
        }
    }
    cut(text, room)
}

/// So much of the end of a path is kept, or the host goes.
const SHORTEST: usize = 8;

/// Whether a label is a request's method and path, or a path alone.
pub(super) fn is_path(text: &str) -> bool {
    let place = match text.split_once(' ') {
        Some((method, place)) if method.bytes().all(|b| b.is_ascii_uppercase()) => place,
        Some(_) => return false,
        None => text,
    };
    place.contains('/') && !place.contains(char::is_whitespace)
}

/// Words in lines of at most that many columns.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else {
            break;
        };
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn pad(mut text: String, room: usize) -> String {
    let missing = room.saturating_sub(width(&text));
    text.push_str(&" ".repeat(missing));
    text
}

/// The beginning, of at most that many columns.
fn head(text: &str, room: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or_default();
        used > room
    });
    end.map_or(text, |(at, _)| text.get(..at).unwrap_or_default())
}

/// The end, of at most that many columns.
fn tail(text: &str, room: usize) -> &str {
    let mut used = 0;
    let begin = text.char_indices().rev().find(|(_, c)| {
        used += c.width().unwrap_or_default();
        used > room
    });
    begin.map_or(text, |(at, c)| {
        text.get(at + c.len_utf8()..).unwrap_or_default()
    })
}

/// Whether a terminal may obey the character instead of showing it, or show
/// nothing.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Harmful characters: ESC, BEL, CSI of C1, line breaks, marks of direction,
    /// separators, invisible characters.
    const HOSTILE: &[&str] = &[
        "\x1b[2J",
        "\x1b]0;t\x07",
        "\u{9b}31m",
        "\r",
        "\n",
        "\t",
        "\0",
        "\x7f",
        "\u{85}",
        "\u{202e}",
        "\u{2066}",
        "\u{61c}",
        "\u{200f}",
        "\u{2028}",
        "\u{2029}",
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\u{ad}",
        "\u{2061}",
        "\u{e0041}",
        "\u{3164}",
        "\u{fffa}",
    ];

    #[test]
    fn nothing_steers_the_terminal() {
        for hostile in HOSTILE {
            let text = format!("a{hostile}b");
            let cleaned = clean(&text);
            assert!(!cleaned.chars().any(is_hostile), "{text:?} {cleaned:?}");
            assert!(cleaned.starts_with("a·") && cleaned.ends_with('b'));
            let line = printable(&text);
            assert!(
                !line.chars().any(|c| c != '\n' && is_hostile(c)),
                "{text:?}"
            );
            let json = printable_json(&json!({"x": text}).to_string());
            assert!(!json.chars().any(is_hostile), "{json:?}");
            let read: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(read["x"], text);
        }
        assert_eq!(clean("é 漢字 e\u{301} 🦀"), "é 漢字 e\u{301} 🦀");
        let marks = clean(&format!("e{}", "\u{301}".repeat(50)));
        assert_eq!(marks.matches('\u{301}').count(), MARKS);
        assert_eq!(
            printable("\x1b[31mred\x1b[0m\n\x1b[5m"),
            "\x1b[31mred\x1b[0m\n·[5m"
        );
    }

    #[test]
    fn texts_fit_by_columns() {
        for (text, room, expected) in [
            ("abc", 5, "abc  "),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("漢字", 5, "漢字 "),
            ("漢字", 3, "漢…"),
            ("漢字", 2, "… "),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(fit(text, room), expected, "{text} {room}");
        }
    }

    #[test]
    fn paths_keep_their_end() {
        for (text, room, expected) in [
            ("GET /a/b", 20, "GET /a/b"),
            (
                "GET http://127.0.0.1:9001/api/v1/customers/42/items/7",
                40,
                "GET http://127.0.0.1:9001/…/42/items/7",
            ),
            (
                "GET http://a-long-host.example:9001/api/v1/customers/42/items/7",
                30,
                "GET …/v1/customers/42/items/7",
            ),
            (
                "POST /api/v1/customers/{id}/orders",
                24,
                "POST …/{id}/orders",
            ),
            ("/srv/app/releases/current/shop", 16, "…/current/shop"),
            (
                "GET /averylongsinglepartwithoutend",
                20,
                "GET …partwithoutend",
            ),
            ("GET /a/b/c", 6, "GET /…"),
        ] {
            let cut = cut_path(text, room);
            assert_eq!(cut, expected);
            assert!(width(&cut) <= room);
        }
        for (text, path) in [
            ("GET /a", true),
            ("GET http://h/a", true),
            ("orders/new", true),
            ("select a/b from c", false),
            ("select 1", false),
            ("GET", false),
        ] {
            assert_eq!(is_path(text), path, "{text}");
        }
    }

    #[test]
    fn words_are_wrapped() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("a-long-word b", 4), ["a-long-word", "b"]);
    }
}
