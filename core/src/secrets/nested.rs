//! URLs, queries and JSON inside the value of a parameter.

use super::REDACTED;
use super::decode::any_decoded;
use super::key::Keys;
use super::matcher::Matcher;
use super::scan::{Form, finds};

/// A longer encoded value is taken for secret, unseen.
const MAX_ENCODED: usize = 4 * 1_024;

/// Writes `text` without the words in which a secret stands, percent-encoded.
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
    word.contains('%')
        && any_decoded::<MAX_ENCODED>(word, |plain| {
            plain != word
                && (plain.contains("://") || plain.contains(['=', '"', '@']))
                && holds_secret(matcher, plain)
        })
}

/// Whether a secret stands in `piece`, a parameter or a part of one, raw or
/// encoded: user information of a URL, a pair with a secret key, or a member of
/// a JSON object with one.
pub(super) fn has_secret(matcher: &Matcher, piece: &str) -> bool {
    let signs = Signs::of(piece);
    (signs.may_hold && holds_secret(matcher, piece))
        || (signs.encoded
            && any_decoded::<MAX_ENCODED>(piece, |plain| holds_secret(matcher, plain)))
}

fn holds_secret(matcher: &Matcher, text: &str) -> bool {
    let is_harmless =
        text.is_ascii() && !text.contains('@') && !matcher.may_match_in(text.as_bytes());
    if is_harmless {
        return false;
    }
    // Without quotes, a colon is often none of a pair: `sort=key:asc`.
    let has_user = || text.contains('@') && text.contains(':') && !text.contains("://");
    let form = if text.contains('"') || has_user() {
        Form::Text
    } else {
        Form::Query
    };
    finds(Keys::of(matcher), text, form)
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
            others |= matches!(byte, b'@' | b'"');
            encoded |= byte == b'%';
        }
        Self {
            may_hold: others || equals > 1,
            encoded,
        }
    }
}
