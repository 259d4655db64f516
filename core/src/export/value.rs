//! The value of one field: its JSON, without its secrets.

use std::collections::{HashMap, HashSet};
use std::str;

use crate::clock::Timeline;
use crate::json;
use crate::secrets::{self as redact, Matcher};
use crate::span::Shape;
use crate::span::fields::Attribute;
use crate::span::log::Entry;
use crate::span::tag::kind;

/// One field's value, with all that was written up to it.
pub(super) struct Value<'a> {
    pub(super) attribute: Attribute<'a>,
    pub(super) all: &'a [u8],
    pub(super) secrets: &'a Matcher,
    pub(super) timeline: &'a Timeline,
    pub(super) scratch: &'a mut String,
}

impl Value<'_> {
    pub(super) fn write(self, key: &[u8], shape: Shape, members: &mut Members<'_>) {
        match shape {
            Shape::Integer => {
                members.key(key);
                json::signed(members.out, word(self.attribute.value, 0) as i64);
            }
            Shape::Float => {
                let number = f64::from_bits(word(self.attribute.value, 0));
                if number.is_finite() {
                    members.key(key);
                    json::float(members.out, number);
                }
            }
            Shape::Boolean => {
                members.key(key);
                let on = self.attribute.value == [1];
                members
                    .out
                    .extend_from_slice(if on { b"true" } else { b"false" });
            }
            Shape::Headers => self.headers(key, members),
            Shape::List => self.list(key, members),
            Shape::Custom => self.custom(key, members),
            // An empty string says nothing (`reference`: the Go tracer).
            _ if self.attribute.value.is_empty() => {}
            Shape::Text => {
                let start = members.mark();
                members.key(key);
                if !json::text(members.out, self.attribute.value) {
                    members.back_to(start);
                }
            }
            Shape::Query | Shape::Url | Shape::Path
                if !may_hold_secrets(shape, self.attribute.value, self.secrets) =>
            {
                members.key(key);
                members.out.push(b'"');
                members.out.extend_from_slice(self.attribute.value);
                members.out.push(b'"');
            }
            Shape::Query | Shape::Url | Shape::Path | Shape::Dsn | Shape::Error => {
                let Ok(text) = str::from_utf8(self.attribute.value) else {
                    return;
                };
                members.key(key);
                redacted(shape, text, self.secrets, self.scratch, members.out);
            }
        }
    }

    /// All values of this field.
    fn values(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let (section, field) = (self.attribute.section, self.attribute.field);
        let mut rest = self.all;
        std::iter::from_fn(move || {
            let (attribute, tail) = Attribute::split(rest)?;
            rest = tail;
            Some(attribute)
        })
        .filter(move |attribute| attribute.section == section && attribute.field == field)
        .map(|attribute| attribute.value)
    }

    fn list(&self, key: &[u8], members: &mut Members<'_>) {
        members.key(key);
        members.out.push(b'[');
        let texts = self.values().filter_map(|value| str::from_utf8(value).ok());
        for (position, text) in texts.enumerate() {
            if position > 0 {
                members.out.push(b',');
            }
            json::string(members.out, text);
        }
        members.out.push(b']');
    }

    fn headers(self, key: &[u8], members: &mut Members<'_>) {
        let pairs = || self.values().filter_map(pair);
        let is_last = is_last(pairs().map(|(name, _)| name));
        members.key(key);
        members.out.push(b'{');
        let mut inner = Members::new(members.out);
        for (position, (name, value)) in pairs().enumerate() {
            if !is_last(position, name) {
                continue;
            }
            inner.name(name);
            let mut scratch = String::new();
            redact::header(self.secrets, name, value, &mut scratch);
            json::string(inner.out, &scratch);
        }
        members.out.push(b'}');
    }

    fn custom(self, key: &[u8], members: &mut Members<'_>) {
        let tags = || self.values().filter_map(tag);
        let mut entries = self.values().filter_map(Entry::parse).peekable();
        members.key(key);
        members.out.push(b'{');
        let mut inner = Members::new(members.out);
        if tags().next().is_some() {
            inner.key(b"\"tags\":");
            write_tags(tags, self.secrets, inner.out);
        }
        if entries.peek().is_some() {
            inner.key(b"\"logs\":");
            self.logs(entries, inner.out);
        }
        members.out.push(b'}');
    }

    /// An object from milliseconds to fields. Two entries of one millisecond
    /// would be one.
    fn logs<'b>(&self, entries: impl Iterator<Item = Entry<'b>>, out: &mut Vec<u8>) {
        let mut taken = HashSet::new();
        out.push(b'{');
        let mut inner = Members::new(out);
        for entry in entries {
            let mut millis = self.timeline.unix_millis(entry.ticks);
            while !taken.insert(millis) {
                millis += 1;
            }
            inner.key(b"\"");
            json::unsigned(inner.out, millis);
            inner.out.extend_from_slice(b"\":");
            write_tags(|| entry.fields(), self.secrets, inner.out);
        }
        out.push(b'}');
    }
}

/// An object of names and typed values, the last of each name.
fn write_tags<'a, I>(tags: impl Fn() -> I, secrets: &Matcher, out: &mut Vec<u8>)
where
    I: Iterator<Item = (&'a str, u8, &'a [u8])> + Clone,
{
    out.push(b'{');
    let is_last = is_last(tags().map(|(name, ..)| name));
    let mut inner = Members::new(out);
    for (position, (name, kind, value)) in tags().enumerate() {
        if is_last(position, name) {
            write_tag(name, kind, value, secrets, &mut inner);
        }
    }
    out.push(b'}');
}

/// Names of one field that are compared with each other; more go into a table.
const FEW: usize = 24;

/// Tells whether a name, at its position, is not written again behind it.
fn is_last<'a>(names: impl Iterator<Item = &'a str> + Clone) -> impl Fn(usize, &'a str) -> bool {
    let table: Option<HashMap<_, _>> = names.clone().nth(FEW).is_some().then(|| {
        let places = names.clone().enumerate();
        places.map(|(position, name)| (name, position)).collect()
    });
    move |position, name| match &table {
        Some(last) => last.get(name) == Some(&position),
        None => !names.clone().skip(position + 1).any(|later| later == name),
    }
}

fn write_tag(name: &str, kind: u8, value: &[u8], secrets: &Matcher, members: &mut Members<'_>) {
    let number = word(value, 0);
    if kind == kind::FLOAT && !f64::from_bits(number).is_finite() {
        return;
    }
    members.name(name);
    match kind {
        kind::INTEGER => json::signed(members.out, number as i64),
        kind::UNSIGNED => json::unsigned(members.out, number),
        kind::BOOLEAN => {
            let word: &[u8] = if value == [1] { b"true" } else { b"false" };
            members.out.extend_from_slice(word);
        }
        kind::FLOAT => {
            json::float(members.out, f64::from_bits(number));
        }
        kind::ERROR => {
            let mut scratch = String::new();
            redact::text(
                secrets,
                str::from_utf8(value).unwrap_or_default(),
                &mut scratch,
            );
            json::string(members.out, &scratch);
        }
        _ => json::string(members.out, str::from_utf8(value).unwrap_or_default()),
    }
}

/// Members of an object, with commas between them.
pub(super) struct Members<'a> {
    pub(super) out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Members<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: true }
    }

    /// Where it stands, for [`back_to`](Self::back_to).
    fn mark(&self) -> (usize, bool) {
        (self.out.len(), self.first)
    }

    /// Takes back what was written since.
    fn back_to(&mut self, (len, first): (usize, bool)) {
        self.out.truncate(len);
        self.first = first;
    }

    /// A key as it is written: in quotes, with its colon.
    pub(super) fn key(&mut self, key: &[u8]) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(key);
    }

    /// Any name.
    fn name(&mut self, name: &str) {
        self.key(b"");
        json::string(self.out, name);
        self.out.push(b':');
    }
}

fn redacted(shape: Shape, text: &str, secrets: &Matcher, scratch: &mut String, out: &mut Vec<u8>) {
    let redact = match shape {
        Shape::Query => redact::query,
        Shape::Url => redact::url,
        Shape::Path => redact::path,
        Shape::Dsn => redact::dsn,
        Shape::Error => redact::text,
        _ => return json::string(out, text),
    };
    scratch.clear();
    redact(secrets, text, scratch);
    json::string(out, scratch);
}

/// False for plain text that redaction would not change: most paths and URLs
/// have neither parameters nor user information, most queries no secret key.
fn may_hold_secrets(shape: Shape, text: &[u8], secrets: &Matcher) -> bool {
    if !json::is_plain(text) {
        return true;
    }
    if shape != Shape::Query {
        return text
            .iter()
            .any(|byte| matches!(byte, b'=' | b'?' | b'#' | b'@'));
    }
    let special = |byte: &u8| matches!(byte, b'?' | b'#' | b';' | b'%' | b'+' | b' ');
    let is_secret = |pair: &[u8]| {
        let key = pair.iter().position(|byte| *byte == b'=');
        let key = key.and_then(|end| str::from_utf8(pair.get(..end)?).ok());
        key.is_some_and(|key| secrets.is_secret(key))
    };
    text.iter().any(special) || text.split(|byte| *byte == b'&').any(is_secret)
}

/// The n-th 64-bit word of a value; 0 where it is too short.
pub(super) fn word(value: &[u8], n: usize) -> u64 {
    let bytes = value.get(n * 8..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

fn pair(value: &[u8]) -> Option<(&str, &str)> {
    let (len, rest) = value.split_first()?;
    let (name, value) = rest.split_at_checked(usize::from(*len))?;
    Some((str::from_utf8(name).ok()?, str::from_utf8(value).ok()?))
}

/// The tag in a value of `custom`; `None` for an entry of the log.
fn tag(value: &[u8]) -> Option<(&str, u8, &[u8])> {
    let (kind, rest) = value
        .split_first()
        .filter(|(kind, _)| **kind != kind::LOG)?;
    let (len, rest) = rest.split_first()?;
    let (name, value) = rest.split_at_checked(usize::from(*len))?;
    Some((str::from_utf8(name).ok()?, *kind, value))
}
