//! URLs, queries and JSON inside the value of a parameter.

use crate::secrets::REDACTED;
use crate::secrets::decode::any_decoded;
use crate::secrets::escapes::any_unescaped;
use crate::secrets::key::Keys;
use crate::secrets::matcher::Matcher;
use crate::secrets::scan::{Form, finds};

/// A longer encoded value is taken for secret, unseen.
const MAX_ENCODED: usize = 4 * 1_024;

/// The sign of a pair as JSON and others may write it.
const ESCAPED_SIGNS: [&str; 3] = ["\\u003d", "\\u003D", "\\x3d"];

/// Whether [`without_encoded`] may find anything.
pub(super) fn may_be_encoded(text: &str) -> bool {
    text.contains('%') || has_escaped_sign(text)
}

fn has_escaped_sign(text: &str) -> bool {
    text.contains('\\') && ESCAPED_SIGNS.iter().any(|sign| text.contains(sign))
}

/// Writes `text` without the words in which a secret stands, percent-encoded or with an
/// escaped `=`. Passwords are secret to every matcher here.
pub(super) fn without_encoded(matcher: &Matcher, text: &str, out: &mut String) {
    for part in text.split_inclusive(ends_word) {
        let word = part.trim_end_matches(ends_word);
        if has_encoded_secret(matcher, word) {
            out.push_str(REDACTED);
            out.push_str(part.get(word.len()..).unwrap_or_default());
        } else {
            out.push_str(part);
        }
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`')
}

fn has_encoded_secret(matcher: &Matcher, word: &str) -> bool {
    let is_secret = |plain: &str| {
        plain != word
            && (plain.contains("://") || plain.contains(['=', '"', '@']))
            && holds_secret(Keys::and_passwords(matcher), matcher, plain)
    };
    (word.contains('%') && any_decoded::<MAX_ENCODED>(word, is_secret))
        || (has_escaped_sign(word) && any_unescaped(word, is_secret))
}

/// Whether a secret stands in `piece`, a parameter or a part of one, raw or
/// encoded: user information of a URL, a pair with a secret key, or a member of
/// a JSON object with one.
pub(super) fn has_secret(matcher: &Matcher, piece: &str) -> bool {
    let signs = Signs::of(piece);
    let holds_secret = |plain: &str| holds_secret(Keys::of(matcher), matcher, plain);
    (signs.may_hold && holds_secret(piece))
        || (signs.encoded && any_decoded::<MAX_ENCODED>(piece, holds_secret))
}

fn holds_secret(keys: Keys<'_>, matcher: &Matcher, text: &str) -> bool {
    let is_harmless =
        text.is_ascii() && !text.contains('@') && !matcher.may_match_in(text.as_bytes());
    if is_harmless {
        return false;
    }
    // Without quotes, a colon is often none of a pair: `sort=key:asc`.
    let has_user = || text.contains('@') && text.contains(':') && !text.contains("://");
    let form = if text.contains(['"', '\'', '{']) || has_user() {
        Form::Text
    } else {
        Form::Query
    };
    finds(keys, text, form)
}

/// What shows that it is worth a closer look.
#[derive(Clone, Copy, Debug)]
struct Signs {
    may_hold: bool,
    encoded: bool,
}

impl Signs {
    fn of(piece: &str) -> Self {
        let (mut equals, mut others, mut encoded) = (0, false, false);
        for byte in piece.bytes() {
            equals += usize::from(byte == b'=');
            others |= matches!(byte, b'@' | b'"' | b'\'' | b'{');
            encoded |= byte == b'%';
        }
        Self {
            may_hold: others || equals > 1,
            encoded,
        }
    }
}
