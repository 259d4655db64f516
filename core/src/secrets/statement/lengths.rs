//! The lengths of parts of a statement.

use crate::secrets::search::run;
use crate::secrets::statement::dialect::Escapes;
use crate::secrets::statement::reader::is_in_word;

pub(super) enum End {
    /// Behind the closing quote.
    At(usize),
    Open,
    Unsure,
}

/// The end of what stands in quotes, of which the first was passed. Two are one inside.
pub(super) fn end_of_quoted(text: &str, quote: char, escapes: Escapes) -> End {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(found) = rest.find(quote) else {
            return End::Open;
        };
        let inside = rest.get(..found).unwrap_or_default();
        let backslashes = inside.len() - inside.trim_end_matches('\\').len();
        at += found + 1;
        if backslashes % 2 == 1 {
            match escapes {
                Escapes::Always => continue,
                Escapes::Never => {}
                Escapes::Unknown => return End::Unsure,
            }
        }
        if !text.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            return End::At(at);
        }
        at += 1;
    }
}

/// The length of `/*!50000`.
pub(super) fn begin_of_code(rest: &str) -> usize {
    let mark = rest.find('!').map_or(2, |at| at + 1);
    let version = rest.get(mark..).unwrap_or_default();
    mark + run(version, |c| c.is_ascii_digit()).min(6)
}

/// The length of a comment in which there may be others.
pub(super) fn nested_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(found) = rest.get(at..).and_then(|rest| rest.find(['/', '*'])) {
        at += found;
        let behind = rest.get(at..).unwrap_or_default();
        if behind.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if behind.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a number, in whatever form.
pub(super) fn number(text: &str) -> usize {
    let is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let mut before = ' ';
    run_with(text, |c| {
        let is_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !is_hexadecimal;
        before = c;
        is_in_word(c) || c == '.' || is_sign
    })
}

fn run_with(text: &str, mut wanted: impl FnMut(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}
