//! Finds `key=value` and `key: value` pairs and URLs in a text.

use super::address::Address;
use super::prose::is_prose;
use super::seek::{self, first, run, run_back, split_at_any};
use super::steps;
use super::word::Word;
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
    let mut written = 0;
    for found in Finder::new(is_secret, text, form) {
        out.push_str(between(text, written, found.start));
        out.push_str(found.mark);
        written = found.end;
    }
    out.push_str(from(text, written));
}

/// Whether [`scan`] would replace anything in `text`.
pub(super) fn finds(is_secret: &impl Fn(&str) -> bool, text: &str, form: Form) -> bool {
    Finder::new(is_secret, text, form).next().is_some()
}

/// A part of a text that is to be replaced.
#[derive(Clone, Copy, Debug)]
struct Found {
    start: usize,
    end: usize,
    /// What stands there instead.
    mark: &'static str,
}

/// Finds the parts to replace, in time that grows as the text does: what is
/// looked at beyond the part that is found is remembered or not looked at again.
struct Finder<'a, F> {
    is_secret: &'a F,
    text: &'a str,
    form: Form,
    /// No key begins before it.
    floor: usize,
    /// What a URL may be part of.
    url: Word<'a>,
    /// What a `user:password@` without a scheme may be part of.
    user: Word<'a>,
}

impl<F: Fn(&str) -> bool> Iterator for Finder<'_, F> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let rest = from(self.text, self.floor);
            let at = self.floor + first(rest, |c| matches!(c, '=' | ':'))?;
            let found = if from(self.text, at).starts_with(':') {
                self.colon(at)
            } else {
                self.pair(at)
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

impl<'a, F: Fn(&str) -> bool> Finder<'a, F> {
    fn new(is_secret: &'a F, text: &'a str, form: Form) -> Self {
        Self {
            is_secret,
            text,
            form,
            floor: 0,
            url: Word::new(text, &['"']),
            user: Word::new(text, &['"', '/', '?', '#']),
        }
    }

    fn colon(&mut self, at: usize) -> Option<Found> {
        let behind = from(self.text, at + 1);
        if behind.starts_with("//") {
            return self.address(at + 3);
        }
        if self.form != Form::Text {
            self.floor = at + 1;
            return None;
        }
        if behind.starts_with(':') {
            // A Rust path.
            self.floor = at + 2;
            return None;
        }
        let before = between(self.text, self.floor, at);
        if is_prose(before, behind) {
            self.floor = at + 1;
            return None;
        }
        self.pair(at).or_else(|| self.user(at, before))
    }

    /// The user information of the URL whose address begins at `start`. The host
    /// ends where a pair may begin.
    fn address(&mut self, start: usize) -> Option<Found> {
        let end = self.url.end(start);
        let last_at = self.url.last_at(start).map(|at| at - start);
        let url = between(self.text, start, end);
        let address = Address::cut("", url, last_at, &['/', '?', '#']);
        let host = end - address.host.len() - address.rest.len();
        let (name, _) = split_at_any(address.host, &[';', '&', ',']);
        self.floor = host + name.len();
        address.user.then_some(Found {
            start,
            end: host,
            mark: REDACTED_USER,
        })
    }

    /// The value of the pair whose sign stands at `at`.
    fn pair(&mut self, at: usize) -> Option<Found> {
        let key = key_at_end(between(self.text, self.floor, at));
        self.floor = at + 1;
        if !(self.is_secret)(key) {
            return None;
        }
        let start = at + 1 + start_of_value(from(self.text, at + 1));
        let (skip, length) = extent(from(self.text, start), self.form);
        self.floor = start + skip + length;
        (length > 0).then_some(Found {
            start: start + skip,
            end: self.floor,
            mark: REDACTED,
        })
    }

    /// `name:word@` around the colon at `at`, as in a connection string.
    fn user(&mut self, at: usize, before: &str) -> Option<Found> {
        let name = before.len() - run_back(before, is_key_char);
        let last = self.user.last_at(at + 1);
        let last = last.filter(|last| name > 0 && *last > at + 1 && self.floor <= *last)?;
        self.floor = last + 1;
        Some(Found {
            start: at - name,
            end: last + 1,
            mark: REDACTED_USER,
        })
    }
}

/// The key in front of an `=` or `:`, without quotes and blanks around it.
fn key_at_end(text: &str) -> &str {
    let is_around = |c: char| c.is_whitespace() || is_quote(c) || matches!(c, '\\' | ')' | ']');
    let text = between(text, 0, run_back(text, is_around));
    from(text, run_back(text, is_key_char))
}

/// Skips blanks and the rest of signs such as `=>`, `:=` and `==`.
fn start_of_value(text: &str) -> usize {
    run(text, |c| matches!(c, ' ' | '\t' | '=' | '>' | ':'))
}

/// How many bytes of `value` to keep (an opening quote), and how many behind
/// them are the value.
fn extent(value: &str, form: Form) -> (usize, usize) {
    let backslashes = run(value, |c| c == '\\');
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
    let length = up_to_quote(value, quote, backslashes);
    steps::count(length);
    length
}

fn up_to_quote(value: &str, quote: char, backslashes: usize) -> usize {
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
    // Before it, no closing sign closes the value.
    let mut open = 0;
    while let Some(c) = from(value, at).chars().next() {
        steps::count(1);
        let next = at + c.len_utf8();
        let behind = from(value, next);
        let ends = match form {
            Form::Semicolons => c == ';',
            Form::Spaces => c.is_whitespace(),
            Form::Query | Form::Text => match c {
                '\n' | '\r' => true,
                // As in `password: key: a`.
                ' ' if matches!(previous, ':' | '=') => false,
                // As in `authorization: Bearer a`.
                ' ' if is_scheme(between(value, 0, at)) => false,
                c if c.is_whitespace() => return at + up_to_semicolon(from(value, at)),
                ';' | '&' => is_end_or_pair(behind),
                c if is_closer(c) && at >= open => {
                    open = at + run(from(value, at), is_closer);
                    is_closed(from(value, at), open - at)
                }
                _ => false,
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
    match first(text, stops) {
        Some(at) if from(text, at).starts_with(';') && is_end_or_pair(from(text, at + 1)) => at,
        _ => 0,
    }
}

/// Whether nothing, a blank or the key of another pair follows.
fn is_end_or_pair(text: &str) -> bool {
    let key = run(text, is_key_char);
    text.is_empty()
        || text.starts_with(char::is_whitespace)
        || (key > 0 && from(text, key).starts_with('='))
}

/// Whether `text`, which begins with `run` bytes of closing signs, has an end
/// behind them: `)`, `"}, `, `","next"`, `)(next=`. If not, it has none behind
/// the last of them either.
fn is_closed(text: &str, run: usize) -> bool {
    let (signs, behind) = (between(text, 0, run), from(text, run));
    let next = behind.chars().next();
    let after_next = from(behind, next.map_or(0, char::len_utf8));
    match next {
        None => true,
        Some(':') => after_next.is_empty() || after_next.starts_with(char::is_whitespace),
        Some(';' | '&') => is_end_or_pair(after_next),
        Some('(') => from(after_next, seek::run(after_next, is_key_char)).starts_with('='),
        Some(c) => c.is_whitespace() || (signs.contains(',') && signs.contains(is_quote)),
    }
}

/// Whether a credential follows the word.
fn is_scheme(word: &str) -> bool {
    let is_word = |scheme: &str| word.eq_ignore_ascii_case(scheme);
    ["basic", "bearer", "digest", "token"]
        .into_iter()
        .any(is_word)
}

fn is_closer(c: char) -> bool {
    is_quote(c) || matches!(c, ',' | ')' | ']' | '}')
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

pub(super) fn is_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '%' | '+' | '$' | '@')
}

/// The text behind `start`; all positions here are those of ASCII signs.
fn from(text: &str, start: usize) -> &str {
    text.get(start..).unwrap_or_default()
}

fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}
