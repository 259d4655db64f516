//! Finds `key=value` and `key: value` pairs and URLs in a text.

use crate::secrets::address::Address;
use crate::secrets::key::Keys;
use crate::secrets::placeholder::{REDACTED, REDACTED_USER};
use crate::secrets::prose::is_prose;
use crate::secrets::redact::is_credential;
use crate::secrets::search::{first, run, run_back, split_at_any};
use crate::secrets::value::{block, extent, extent_of_line, start_of_value};
use crate::secrets::word::Word;

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
    /// No sign stands between `floor` and here.
    seen: usize,
    /// What a URL may be part of.
    url: Word<'a>,
    /// What a `user:password@` without a scheme may be part of.
    user: Word<'a>,
}

impl Iterator for Finder<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let start = self.floor.max(self.seen);
            let is_sign = |c| matches!(c, '=' | ':') || (c == ',' && self.form == Form::Text);
            let at = start + first(from(self.text, start), is_sign)?;
            let found = match from(self.text, at).as_bytes().first() {
                Some(b':') => self.colon(at),
                Some(b',') => self.comma(at),
                _ => self.pair(at),
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
            seen: 0,
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
        let behind = from(self.text, at + 1);
        if self.form == Form::Text && from(self.text, at).starts_with(':') {
            if let Some((skip, length)) = block(behind) {
                return self.value(at + 1, skip, length);
            }
        }
        let start = at + 1 + start_of_value(behind);
        let value = from(self.text, start);
        let (skip, length) = if self.form == Form::Text && key.is_credential() {
            extent_of_line(value)
        } else {
            extent(value, self.form)
        };
        self.value(start, skip, length)
    }

    /// So many bytes that are a value, `skip` bytes behind `start`.
    fn value(&mut self, start: usize, skip: usize, length: usize) -> Option<Found> {
        self.floor = start + skip + length;
        (length > 0).then_some(Found {
            start: start + skip,
            end: self.floor,
            mark: REDACTED,
        })
    }

    /// The value behind the comma at `at` where a secret name in quotes stands before it, as
    /// in Rust's debug output: `("password", "a")`, `name: "password", value: "a"`.
    fn comma(&mut self, at: usize) -> Option<Found> {
        self.seen = at + 1;
        let before = between(self.text, 0, at);
        let quote = before.chars().next_back().filter(|c| is_quote(*c))?;
        let is_backslash = |c: char| c == '\\';
        let name = between(before, 0, before.len() - 1);
        let name = between(name, 0, run_back(name, is_backslash));
        let opening = run_back(name, |c| c != quote).checked_sub(1)?;
        let (before, name) = (between(name, 0, opening), from(name, opening + 1));
        let before = between(before, 0, run_back(before, is_backslash));
        let behind = from(self.text, at + 1);
        let skip = if before.ends_with(['(', '[']) {
            run(behind, char::is_whitespace)
        } else {
            let before = between(before, 0, run_back(before, char::is_whitespace));
            behind_value_key(behind).filter(|_| before.ends_with([':', '=']))?
        };
        let may_be_name = !name.contains(['=', '?', '&', ':', '<']);
        if !(may_be_name && self.keys.is_secret(name, false)) {
            return None;
        }
        let start = at + 1 + skip;
        let (skip, length) = extent(from(self.text, start), Form::Text);
        self.value(start, skip, length)
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
        // As in `name:wo/rd@tcp(host)`.
        let is_network = |last: &usize| {
            let host = from(self.text, *last + 1);
            let network = run(host, |c| c.is_ascii_alphanumeric());
            network > 0 && from(host, network).starts_with('(')
        };
        let last = last.or_else(|| self.url.last_at(at + 1).filter(is_network));
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
        let is_around = |c: char| {
            c.is_whitespace()
                || is_quote(c)
                || matches!(c, '\\' | ')' | ']' | '}' | '”' | '’' | '»')
        };
        let trimmed = between(text, 0, run_back(text, is_around));
        let is_part = |c: char| is_key_char(c) || matches!(c, '\\' | '[' | ']');
        let start = run_back(trimmed, is_part);
        let sign = between(trimmed, 0, start).chars().next_back();
        Self {
            name: from(trimmed, start),
            quoted: quoted_at_end(text, trimmed),
            in_query: is_equals
                && (matches!(sign, Some('?' | '&' | '#' | ';'))
                    || has_escaped_sign(trimmed, start)),
        }
    }

    fn is_credential(&self) -> bool {
        is_credential(self.name.as_bytes())
            || self
                .quoted
                .is_some_and(|name| is_credential(name.as_bytes()))
    }
}

/// Whether the name that begins at `start` has `?` or `&` in it, as JSON may write them.
fn has_escaped_sign(text: &str, start: usize) -> bool {
    const SIGNS: [&str; 6] = ["\\u0026", "\\u003f", "\\u003F", "\\x26", "\\x3f", "\\x3F"];
    let name = from(text, start);
    name.contains('\\') && SIGNS.iter().any(|sign| name.contains(sign))
}

/// Where the value begins in ` value: "a"`.
fn behind_value_key(text: &str) -> Option<usize> {
    let is_around = |c: char| c.is_whitespace() || is_quote(c) || c == '\\';
    let start = run(text, is_around);
    let name = run(from(text, start), is_key_char);
    let is_value = ["val", "value"]
        .iter()
        .any(|known| between(text, start, start + name).eq_ignore_ascii_case(known));
    let sign = start + name + run(from(text, start + name), is_around);
    let behind = from(text, sign).strip_prefix([':', '='])?;
    is_value.then(|| sign + 1 + start_of_value(behind))
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
