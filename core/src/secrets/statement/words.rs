//! The search for secret words in all of a statement.

use crate::secrets::escapes;
use crate::secrets::matcher::{Matcher, words_of_letters};
use crate::secrets::statement::dialect::Dialect;
use crate::secrets::statement::reader::Reader;
use crate::secrets::statement::token::Kind;

/// The word that passwords stand behind, beside those of the matcher.
const IDENTIFIED: &str = "identified";

/// The word behind a text whose escapes begin with a sign of its own: `U&'p!0061ss' UESCAPE '!'`.
const UESCAPE: &str = "uescape";

/// Whether a secret word stands anywhere in a statement: in names, literals and comments, with
/// escapes, as hexadecimal digits, or cut in two by what joins texts.
pub(super) fn has_secret(matcher: &Matcher, dialect: Dialect, statement: &str) -> bool {
    let is_secret = |text: &str| is_in(matcher, text);
    is_secret(statement)
        || escapes::any_unescaped(statement, is_secret)
        || has_secret_literals(matcher, dialect, statement)
}

fn is_in(matcher: &Matcher, text: &str) -> bool {
    if text.is_ascii() && !matcher.may_match_in(text.as_bytes()) {
        return false;
    }
    matcher.is_secret_word_in(text)
        || words_of_letters(text).any(|word| word.eq_ignore_ascii_case(IDENTIFIED))
}

/// What single tokens do not show.
fn has_secret_literals(matcher: &Matcher, dialect: Dialect, statement: &str) -> bool {
    let mut joined = String::new();
    let mut parts = 0;
    let mut joins_lists = false;
    for token in Reader::new(dialect, statement) {
        match token.kind {
            Kind::Literal { .. } => {
                if is_hexadecimal(token.text, token.content())
                    .is_some_and(|bytes| is_in(matcher, &bytes))
                {
                    return true;
                }
                joined.push_str(token.content());
                parts += 1;
            }
            Kind::Number => {
                let digits = token.text.get(2..).unwrap_or_default();
                let is_hexadecimal = token.text.starts_with("0x") || token.text.starts_with("0X");
                let bytes = is_hexadecimal
                    .then(|| escapes::hexadecimal(digits))
                    .flatten();
                if bytes.is_some_and(|bytes| is_in(matcher, &bytes)) {
                    return true;
                }
            }
            Kind::Blank | Kind::Comment => {}
            Kind::Word if token.text.eq_ignore_ascii_case(UESCAPE) => return true,
            Kind::Sign if matches!(token.text, "|" | "+" | "(" | ")") => {}
            Kind::Sign if token.text == "," && joins_lists => {}
            Kind::Word
                if token
                    .text
                    .get(..6)
                    .is_some_and(|start| start.eq_ignore_ascii_case("concat")) =>
            {
                joins_lists = true;
            }
            _ => {
                if parts > 1 && is_in(matcher, &joined) {
                    return true;
                }
                joined.clear();
                parts = 0;
            }
        }
    }
    parts > 1 && is_in(matcher, &joined)
}

/// What hexadecimal digits say: `X'70617373'`, and `'\x70617373'` of PostgreSQL.
fn is_hexadecimal(literal: &str, content: &str) -> Option<String> {
    if literal.starts_with(['x', 'X']) {
        return escapes::hexadecimal(content);
    }
    escapes::hexadecimal(content.strip_prefix("\\x")?)
}
