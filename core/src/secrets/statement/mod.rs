//! Statements of databases without the secrets in them.
//!
//! One [`Reader`] cuts a statement into tokens, as the server of its [`Dialect`] does;
//! [`words`] looks for secret words in all of it; a [`Writer`] leaves out what they say.

mod dialect;
mod lengths;
mod reader;
mod token;
mod words;
mod writer;

pub use self::dialect::Dialect;

use self::writer::{Shown, Writer};
use crate::secrets::matcher::Matcher;
use crate::secrets::settled::settled;

/// Bytes of a statement that [`masked`] looks at: more than is sent, comments and literals
/// aside.
const MOST: usize = 64 * 1_024;

/// Writes a statement for `stmt` and the like. Where a secret word stands anywhere in it, and
/// where it is the beginning of one (`is_part`), no literal is shown, numbers included; else
/// literals are free text. Comments are left out but for hints. All from a place on where
/// a literal may or may not begin or end is replaced.
pub(crate) fn statement(
    matcher: &Matcher,
    dialect: Dialect,
    statement: &str,
    is_part: bool,
    out: &mut String,
) {
    let shown = |text: &str| {
        if is_part || words::has_secret(matcher, dialect, text) {
            Shown::Hidden
        } else {
            Shown::Text
        }
    };
    let write = |text: &str, out: &mut String| {
        Writer::new(matcher, shown(text), out).write(dialect, text);
    };
    settled(write, statement, out);
}

/// A statement with `?` for each literal, without comments.
pub(crate) fn masked(dialect: Dialect, statement: &str) -> String {
    let mut end = MOST.min(statement.len());
    while !statement.is_char_boundary(end) {
        end -= 1;
    }
    let beginning = statement.get(..end).unwrap_or_default();
    let mut out = String::with_capacity(end.min(4 * 1_024));
    Writer::masking(&mut out).write(dialect, beginning);
    out
}

/// Whether [`statement`] would change nothing, at a glance: there is neither a literal nor a
/// comment, and no word that may be secret, nor digits that may say one.
#[inline]
pub(crate) fn is_shown_as_it_is(matcher: &Matcher, statement: &[u8]) -> bool {
    !matcher.may_match_in_or(statement, |byte| BEGINS.is(byte))
        && !has_hexadecimal(statement)
        && !has_dollar_quote(statement)
}

/// Whether `0x` stands in it: a secret word may be written in digits.
#[inline]
fn has_hexadecimal(statement: &[u8]) -> bool {
    let behind = statement.get(1..).unwrap_or_default();
    let pairs = statement.iter().zip(behind);
    pairs.fold(false, |found, (zero, x)| {
        found | ((*zero == b'0') & (*x | 0x20 == b'x'))
    })
}

/// What may begin or end a literal, a comment or an escape.
struct Begins([bool; 256]);

static BEGINS: Begins = Begins::new();

impl Begins {
    #[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
    const fn new() -> Self {
        let mut table = [false; 256];
        let signs = b"'\"`-/#[\\";
        let mut at = 0;
        while at < signs.len() {
            table[signs[at] as usize] = true;
            at += 1;
        }
        Self(table)
    }

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
    fn is(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

/// Whether a dollar sign stands elsewhere than in `$1`.
fn has_dollar_quote(statement: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(statement) else {
        return true;
    };
    text.split('$')
        .skip(1)
        .any(|behind| !behind.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
