//! URLs, queries and JSON inside the value of a parameter.

use super::decode::any_decoded;
use super::key::is_secret;
use super::matcher::Matcher;
use super::scan::{Form, finds};

/// A longer encoded value is taken for secret, unseen.
const MAX_ENCODED: usize = 4 * 1_024;

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
    let form = if text.contains('"') {
        Form::Text
    } else {
        Form::Query
    };
    finds(&|key: &str| is_secret(matcher, key), text, form)
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
