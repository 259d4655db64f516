//! Finds `key=value` and `key: value` pairs and URLs in a text.

use super::address::Address;
use super::key::Keys;
use super::prose::is_prose;
use super::redact::is_credential;
use super::seek::{first, run_back, split_at_any};
use super::value::{extent, extent_of_line, start_of_value};
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
pub(super) fn scan(keys: Keys<'_>, text: &str, form: Form, out: &mut String) {
    let mut written = 0;
    for found in Finder::new(keys, text, form) {
        out.push_str(between(text, written, found.start));
        out.push_str(found.mark);
        written = found.end;
    }
    out.push_str(from(text, written));
}

/// Whether [`scan`] would replace anything in `text`.
pub(super) fn finds(keys: Keys<'_>, text: &str, form: Form) -> bool {
    Finder::new(keys, text, form).next().is_some()
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
struct Finder<'a> {
    keys: Keys<'a>,
    text: &'a str,
    form: Form,
    /// No key begins before it.
    floor: usize,
    /// What a URL may be part of.
    url: Word<'a>,
    /// What a `user:password@` without a scheme may be part of.
    user: Word<'a>,
}

impl Iterator for Finder<'_> {
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
            // What was replaced already is nothing to replace.
            let is_new = |found: &Found| between(self.text, found.start, found.end) != found.mark;
            if let Some(found) = found.filter(is_new) {
                return Some(found);
            }
        }
    }
}

impl<'a> Finder<'a> {
    fn new(keys: Keys<'a>, text: &'a str, form: Form) -> Self {
        Self {
            keys,
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
        // As JSON may write it.
        if behind.starts_with(r"\/\/") {
            return self.address(at + 5);
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
        let before = between(self.text, self.floor, at);
        let key = Key::at_end(before, from(self.text, at).starts_with('='));
        self.floor = at + 1;
        if !self.is_secret(&key) {
            let is_address = from(self.text, at).starts_with("=//");
            return is_address.then(|| self.address(at + 3)).flatten();
        }
        let start = at + 1 + start_of_value(from(self.text, at + 1));
        let value = from(self.text, start);
        let (skip, length) = if self.form == Form::Text && key.is_credential() {
            extent_of_line(value)
        } else {
            extent(value, self.form)
        };
        self.floor = start + skip + length;
        (length > 0).then_some(Found {
            start: start + skip,
            end: self.floor,
            mark: REDACTED,
        })
    }

    fn is_secret(&self, key: &Key<'_>) -> bool {
        let in_query = key.in_query || self.form == Form::Query;
        self.keys.is_secret(key.name, in_query)
            || key
                .quoted
                .is_some_and(|name| self.keys.is_secret(name, in_query))
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

/// What stands in front of an `=` or `:`, without quotes and blanks around it.
struct Key<'a> {
    name: &'a str,
    /// All that stands in quotes, where there are such.
    quoted: Option<&'a str>,
    /// Whether it stands as in the query of a URL.
    in_query: bool,
}

impl<'a> Key<'a> {
    fn at_end(text: &'a str, is_equals: bool) -> Self {
        let is_around =
            |c: char| c.is_whitespace() || is_quote(c) || matches!(c, '\\' | ')' | ']' | '}');
        let trimmed = between(text, 0, run_back(text, is_around));
        let is_part = |c: char| is_key_char(c) || matches!(c, '\\' | '[' | ']');
        let start = run_back(trimmed, is_part);
        let sign = between(trimmed, 0, start).chars().next_back();
        Self {
            name: from(trimmed, start),
            quoted: quoted_at_end(text, trimmed),
            in_query: is_equals && matches!(sign, Some('?' | '&' | '#')),
        }
    }

    fn is_credential(&self) -> bool {
        is_credential(self.name.as_bytes())
            || self
                .quoted
                .is_some_and(|name| is_credential(name.as_bytes()))
    }
}

/// The content of the quotes that `text` ends with, of which `trimmed` is without the last.
fn quoted_at_end<'a>(text: &str, trimmed: &'a str) -> Option<&'a str> {
    let behind = from(text, trimmed.len());
    let quote = behind.chars().find(|c| is_quote(*c))?;
    let start = run_back(trimmed, |c| c != quote);
    let name = from(trimmed, start);
    (start > 0).then_some(name)
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

pub(super) fn is_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '%' | '+' | '$' | '@')
}

/// The text behind `start`; all positions here are those of ASCII signs.
pub(super) fn from(text: &str, start: usize) -> &str {
    text.get(start..).unwrap_or_default()
}

pub(super) fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}
