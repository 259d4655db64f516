//! Finds `key=value` and `key: value` pairs and URLs in a text.

use super::address::{Address, split_at_any};
use super::{REDACTED, REDACTED_USER};

/// How pairs are written in a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// `Server=a;Password=b c`: a value ends at a semicolon only.
    Semicolons,
    /// `host=a password=b`: a value ends at a blank only.
    Spaces,
    /// Pairs as in a query.
    Query,
    /// Pairs as in a query, in quotes, in JSON, with a colon.
    Text,
}

/// Copies `text` to `out` without user information and the values of keys that
/// are secret.
pub(super) fn scan(is_secret: &impl Fn(&str) -> bool, text: &str, form: Form, out: &mut String) {
    // Before `written`, everything is in `out`. No key begins before `floor`.
    let (mut written, mut floor) = (0, 0);
    while let Some(at) = from(text, floor)
        .find(['=', ':'])
        .map(|found| found + floor)
    {
        let behind = from(text, at + 1);
        let colon = from(text, at).starts_with(':');
        if colon && behind.starts_with("//") {
            let start = at + 3;
            let address = address_at(from(text, start));
            let host = start + address.prefix.len();
            if address.user {
                out.push_str(between(text, written, start));
                out.push_str(REDACTED_USER);
                written = host;
            }
            floor = host + address.host.len();
        } else if colon && form != Form::Text {
            floor = at + 1;
        } else if colon && behind.starts_with(':') {
            // A Rust path.
            floor = at + 2;
        } else if is_secret(key_at_end(between(text, floor, at))) {
            let start = at + 1 + start_of_value(behind);
            let value = from(text, start);
            let (skip, length) = extent(value, form);
            if length > 0 {
                out.push_str(between(text, written, start + skip));
                out.push_str(REDACTED);
                written = start + skip + length;
            }
            floor = start + skip + length;
        } else {
            floor = at + 1;
        }
    }
    out.push_str(from(text, written));
}

/// The address at the front of `text`. Its prefix is the user information.
/// The host ends where a pair may begin.
fn address_at(text: &str) -> Address<'_> {
    let end = text.find(|c: char| c.is_whitespace() || c == '"');
    let url = between(text, 0, end.unwrap_or(text.len()));
    let address = Address::cut("", url, &['/', '?', '#']);
    let user = url.len() - address.host.len() - address.rest.len();
    let (host, _) = split_at_any(address.host, &[';', '&', ',']);
    Address {
        prefix: between(url, 0, user),
        host,
        ..address
    }
}

/// The key in front of an `=` or `:`, without quotes and blanks around it.
fn key_at_end(text: &str) -> &str {
    let text = text.trim_end_matches(|c: char| {
        c.is_whitespace() || is_quote(c) || matches!(c, '\\' | ')' | ']')
    });
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_key_char(*c))
        .last()
        .map_or(text.len(), |(at, _)| at);
    from(text, start)
}

/// Skips blanks and the rest of signs such as `=>`, `:=` and `==`.
fn start_of_value(text: &str) -> usize {
    let value = text.trim_start_matches([' ', '\t', '=', '>', ':']);
    text.len() - value.len()
}

/// How many bytes of `value` to keep (an opening quote), and how many behind
/// them are the value.
fn extent(value: &str, form: Form) -> (usize, usize) {
    let backslashes = value.bytes().take_while(|b| *b == b'\\').count();
    match from(value, backslashes).chars().next() {
        Some(quote) if is_quote(quote) && form != Form::Query => {
            let skip = backslashes + 1;
            (skip, quoted(from(value, skip), quote, backslashes))
        }
        Some('{') if form == Form::Semicolons => (1, quoted(from(value, 1), '}', 0)),
        _ => (0, unquoted(value, form)),
    }
}

/// The length of a value whose opening quote, with `backslashes` before it,
/// has been skipped. A quote that is doubled or escaped once more is part of
/// the value; without a closing quote all the rest is.
fn quoted(value: &str, quote: char, backslashes: usize) -> usize {
    let mut before = 0;
    let mut chars = value.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            before += 1;
            continue;
        }
        let escaped = before;
        before = 0;
        if c != quote {
            continue;
        }
        let closes = if backslashes == 0 {
            escaped % 2 == 0
        } else {
            escaped <= backslashes
        };
        if !closes {
            continue;
        }
        if backslashes == 0 && chars.next_if(|(_, next)| *next == quote).is_some() {
            continue;
        }
        return if backslashes == 0 { at } else { at - escaped };
    }
    value.len()
}

/// The length of a value that stands in no quotes. Its end shows in what
/// follows it only, so that a text without secrets is cut in the same places.
fn unquoted(value: &str, form: Form) -> usize {
    let mut at = 0;
    let mut previous = ' ';
    while let Some(c) = from(value, at).chars().next() {
        let next = at + c.len_utf8();
        let behind = from(value, next);
        let ends = match form {
            Form::Semicolons => c == ';',
            Form::Spaces => c.is_whitespace(),
            Form::Query | Form::Text => match c {
                '\n' | '\r' => true,
                // As in `password: key: a`.
                ' ' if matches!(previous, ':' | '=') => false,
                c if c.is_whitespace() => return at + up_to_semicolon(from(value, at)),
                ';' | '&' => is_end_or_pair(behind),
                c => is_closer(c) && is_closed(from(value, at)),
            },
        };
        if ends {
            return at;
        }
        at = match c {
            '\\' if form != Form::Semicolons => {
                next + behind.chars().next().map_or(0, char::len_utf8)
            }
            // As in `Some("a b")`.
            '"' if matches!(previous, '(' | '[' | '{') => {
                (next + quoted(behind, '"', 0) + 1).min(value.len())
            }
            _ => next,
        };
        if !(c == ' ' && matches!(previous, ':' | '=')) {
            previous = c;
        }
    }
    value.len()
}

/// The length of what still belongs to a value with blanks in it, as in
/// `Password=a b c;Server=d`; 0 where no pair follows.
fn up_to_semicolon(text: &str) -> usize {
    let stops = |c: char| matches!(c, ';' | '=' | ':' | '\n' | '\r') || is_quote(c);
    match text.find(stops) {
        Some(at) if from(text, at).starts_with(';') && is_end_or_pair(from(text, at + 1)) => at,
        _ => 0,
    }
}

/// Whether nothing, a blank or the key of another pair follows.
fn is_end_or_pair(text: &str) -> bool {
    let behind = text.trim_start_matches(is_key_char);
    text.is_empty()
        || text.starts_with(char::is_whitespace)
        || (behind.len() < text.len() && behind.starts_with('='))
}

/// Whether `text`, which begins with a closing sign, goes on with more of them
/// and then an end: `)`, `"}, `, `","next"`, `)(next=`.
fn is_closed(text: &str) -> bool {
    let behind = text.trim_start_matches(is_closer);
    let run = between(text, 0, text.len() - behind.len());
    let next = behind.chars().next();
    let after_next = from(behind, next.map_or(0, char::len_utf8));
    match next {
        None => true,
        Some(':') => after_next.is_empty() || after_next.starts_with(char::is_whitespace),
        Some(';' | '&') => is_end_or_pair(after_next),
        Some('(') => after_next.trim_start_matches(is_key_char).starts_with('='),
        Some(c) => c.is_whitespace() || (run.contains(',') && run.contains(is_quote)),
    }
}

fn is_closer(c: char) -> bool {
    is_quote(c) || matches!(c, ',' | ')' | ']' | '}')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

fn is_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '%' | '+' | '$' | '@')
}

/// The text behind `start`; all positions here are those of ASCII signs.
fn from(text: &str, start: usize) -> &str {
    text.get(start..).unwrap_or_default()
}

fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}
