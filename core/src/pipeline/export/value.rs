//! The value of one field: its JSON, without its secrets.

use std::collections::{HashMap, HashSet};
use std::str;

use crate::base::clock::Timeline;
use crate::base::json;
use crate::pipeline::export::fragment::Fragment;
use crate::record::fields::{Attribute, named, pair, tag};
use crate::record::log_entry::Entry;
use crate::record::tag::kind;
use crate::record::{Field, Shape, sdk};
use crate::secrets as redact;
use crate::secrets::{Dialect, Limit, Matcher};

/// One field's value, and all attributes before it.
pub(super) struct Value<'a> {
    pub(super) attribute: Attribute<'a>,
    pub(super) before: &'a [u8],
    pub(super) secrets: &'a Matcher,
    pub(super) timeline: &'a Timeline,
    pub(super) scratch: &'a mut String,
}

impl<'a> Value<'a> {
    /// Appends the field as a member, with a comma before it.
    #[inline]
    pub(super) fn write(self, key: &Fragment, field: &Field, out: &mut Vec<u8>) {
        match field.shape {
            Shape::Integer => {
                key.append_but_last(out);
                json::signed(out, word(self.attribute.value, 0) as i64);
            }
            Shape::Float => {
                let number = f64::from_bits(word(self.attribute.value, 0));
                if number.is_finite() {
                    key.append_but_last(out);
                    json::float(out, number);
                }
            }
            Shape::Boolean => {
                key.append_but_last(out);
                let on = self.attribute.value == [1];
                out.extend_from_slice(if on { b"true" } else { b"false" });
            }
            Shape::Headers => self.headers(key, field.limit, out),
            Shape::List => self.list(key, out),
            Shape::Lists => self.lists(key, out),
            Shape::Custom => self.custom(key, out),
            Shape::Text
            | Shape::Query
            | Shape::Url
            | Shape::Path
            | Shape::Dsn
            | Shape::Error
            | Shape::Message
            | Shape::Statement(_) => self.text(key, field, out),
        }
    }

    /// An empty string says nothing (as in Go).
    #[inline]
    fn text(self, key: &Fragment, field: &Field, out: &mut Vec<u8>) {
        let value = self.attribute.value;
        if value.is_empty() {
            return;
        }
        if !is_written_as_it_is(field, value, self.secrets) {
            return self.other_text(key, field, out);
        }
        key.append(out);
        out.extend_from_slice(value);
        out.push(b'"');
    }

    #[inline(never)]
    fn other_text(self, key: &Fragment, field: &Field, out: &mut Vec<u8>) {
        let Ok(text) = str::from_utf8(self.attribute.value) else {
            return;
        };
        key.append_but_last(out);
        if let Shape::Statement(dialect) = field.shape {
            self.scratch.clear();
            statement(dialect, text, field.limit, self.secrets, self.scratch);
            return json::string(out, self.scratch);
        }
        let redact = match field.shape {
            Shape::Query => redact::query,
            Shape::Url => redact::url,
            Shape::Path => redact::path,
            Shape::Dsn => redact::dsn,
            Shape::Error => redact::text,
            Shape::Message => redact::message,
            _ => return json::string(out, text),
        };
        let redact = |text: &str, out: &mut String| redact(self.secrets, text, out);
        self.scratch.clear();
        let limit = match field.shape {
            Shape::Message => Limit::dotted(field.limit),
            _ => Limit::bare(field.limit),
        };
        limit.write(redact, text, self.scratch);
        json::string(out, self.scratch);
    }

    /// All values of this field.
    fn values(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let (section, field) = (self.attribute.section, self.attribute.field);
        let mut rest = self.before;
        let before = std::iter::from_fn(move || {
            let (attribute, tail) = Attribute::split(rest)?;
            rest = tail;
            Some(attribute)
        });
        before
            .filter(move |attribute| attribute.section == section && attribute.field == field)
            .map(|attribute| attribute.value)
            .chain(std::iter::once(self.attribute.value))
    }

    fn list(&self, key: &Fragment, out: &mut Vec<u8>) {
        key.append_but_last(out);
        out.push(b'[');
        let texts = self.values().filter_map(|value| str::from_utf8(value).ok());
        for (position, text) in texts.enumerate() {
            if position > 0 {
                out.push(b',');
            }
            json::string(out, text);
        }
        out.push(b']');
    }

    fn lists(&self, key: &Fragment, out: &mut Vec<u8>) {
        let lists = self.values().filter_map(named);
        let is_last = is_last(lists.clone().map(|(name, _)| name.as_bytes()));
        key.append_but_last(out);
        out.push(b'{');
        let mut members = Members::new(out);
        for (position, (name, mut rest)) in lists.enumerate() {
            if !is_last(position, name.as_bytes()) {
                continue;
            }
            members.name(name);
            let mut before = b'[';
            while let Some((item, tail)) = named(rest) {
                members.out.push(before);
                json::string(members.out, item);
                (before, rest) = (b',', tail);
            }
            if before == b'[' {
                members.out.push(before);
            }
            members.out.push(b']');
        }
        out.push(b'}');
    }

    fn headers(self, key: &Fragment, limit: u16, out: &mut Vec<u8>) {
        let pairs = self.values().filter_map(pair);
        let is_last = is_last(pairs.clone().map(|(name, _)| name));
        key.append_but_last(out);
        out.push(b'{');
        let start = out.len();
        for (position, (name, value)) in pairs.enumerate() {
            if is_last(position, name) {
                if out.len() > start {
                    out.push(b',');
                }
                let pair = (name, value, limit);
                header(pair, self.secrets, self.scratch, out);
            }
        }
        out.push(b'}');
    }

    /// Tags, and entries of the span's log.
    fn custom(self, key: &Fragment, out: &mut Vec<u8>) {
        let tags = self.values().filter_map(tag);
        let entries = self.values().filter_map(Entry::parse);
        let has_tags = tags.clone().next().is_some();
        let has_entries = entries.clone().next().is_some();
        key.append_but_last(out);
        out.push(b'{');
        if has_tags {
            out.extend_from_slice(b"\"tags\":");
            write_tags(&tags, self.secrets, out);
        }
        if has_tags && has_entries {
            out.push(b',');
        }
        if has_entries {
            out.extend_from_slice(b"\"logs\":");
            self.logs(entries, out);
        }
        out.push(b'}');
    }

    /// An object from milliseconds to fields. Two entries of one millisecond
    /// would be one.
    fn logs(&self, entries: impl Iterator<Item = Entry<'a>>, out: &mut Vec<u8>) {
        let mut taken = HashSet::new();
        out.push(b'{');
        for entry in entries {
            if !taken.is_empty() {
                out.push(b',');
            }
            let mut millis = self.timeline.unix_millis(entry.ticks);
            while !taken.insert(millis) {
                millis += 1;
            }
            out.push(b'"');
            json::unsigned(out, millis);
            out.extend_from_slice(b"\":");
            write_tags(&entry.fields(), self.secrets, out);
        }
        out.push(b'}');
    }
}

/// An object of names and typed values, the last of each name.
fn write_tags<'a, I>(tags: &I, secrets: &Matcher, out: &mut Vec<u8>)
where
    I: Iterator<Item = (&'a str, u8, &'a [u8])> + Clone,
{
    let is_last = is_last(tags.clone().map(|(name, ..)| name.as_bytes()));
    out.push(b'{');
    let mut inner = Members::new(out);
    for (position, (name, kind, value)) in tags.clone().enumerate() {
        if is_last(position, name.as_bytes()) {
            write_tag(name, kind, value, secrets, &mut inner);
        }
    }
    out.push(b'}');
}

/// A header: its name, its value and the limit of that.
fn header(
    (name, value, limit): (&[u8], &[u8], u16),
    secrets: &Matcher,
    scratch: &mut String,
    out: &mut Vec<u8>,
) {
    let is_harmless = value.len() <= usize::from(limit)
        && json::is_plain_without(name, *b"%+")
        && json::is_plain_without(value, *b"=:@%")
        && !secrets.may_match_in(name)
        && !redact::is_credential(name);
    if is_harmless {
        for part in [b"\"", name, b"\":\"", value, b"\""] {
            out.extend_from_slice(part);
        }
        return;
    }
    let redact = |value: &str, out: &mut String| redact::header(secrets, text(name), value, out);
    scratch.clear();
    Limit::bare(limit).write(redact, text(value), scratch);
    json::string(out, text(name));
    out.push(b':');
    json::string(out, scratch);
}

/// Names of one field that are compared with each other; more go into a table.
const FEW: usize = 24;

/// Tells whether a name, at its position, is not written again behind it.
fn is_last<'a>(names: impl Iterator<Item = &'a [u8]> + Clone) -> impl Fn(usize, &'a [u8]) -> bool {
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
    if redact::is_secret_name(secrets, name) {
        return json::string(members.out, redact::REDACTED);
    }
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
            // Who records calls to a database knows what of its words are names.
            let redact = match name {
                "db.error" => redact::text,
                _ => redact::message,
            };
            let redact = |text: &str, out: &mut String| redact(secrets, text, out);
            Limit::bare(sdk::TAG_LIMIT).write(redact, text(value), &mut scratch);
            json::string(members.out, &scratch);
        }
        _ => match kind::dialect(kind) {
            Some(dialect) => {
                let mut scratch = String::new();
                statement(dialect, text(value), sdk::TAG_LIMIT, secrets, &mut scratch);
                json::string(members.out, &scratch);
            }
            None => free_text(text(value), secrets, members.out),
        },
    }
}

/// Most tags are words.
fn free_text(text: &str, secrets: &Matcher, out: &mut Vec<u8>) {
    let is_whole = text.len() <= usize::from(sdk::TAG_LIMIT);
    if is_whole && !redact::may_hold_secret(secrets, text) {
        return json::string(out, text);
    }
    let mut scratch = String::new();
    let redact = |text: &str, out: &mut String| redact::text(secrets, text, out);
    Limit::bare(sdk::TAG_LIMIT).write(redact, text, &mut scratch);
    json::string(out, &scratch);
}

/// What was written as text.
fn text(value: &[u8]) -> &str {
    str::from_utf8(value).unwrap_or_default()
}

/// Writes a statement, up to so many characters, into the empty `out`.
fn statement(dialect: Dialect, text: &str, limit: u16, secrets: &Matcher, out: &mut String) {
    let write = |text: &str, is_part: bool, out: &mut String| {
        redact::statement(secrets, dialect, text, is_part, out);
    };
    Limit::characters(limit).write_part(write, text, out);
}

/// Members of an object, with commas between them.
struct Members<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Members<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: true }
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        json::string(self.out, name);
        self.out.push(b':');
    }
}

/// True for text that neither escaping nor redaction would change: most paths
/// and URLs have neither parameters nor user information, most queries no
/// secret key.
#[inline]
fn is_written_as_it_is(field: &Field, text: &[u8], secrets: &Matcher) -> bool {
    let fits = text.len() <= usize::from(field.limit);
    match field.shape {
        Shape::Text => json::is_plain(text),
        Shape::Query => {
            fits && json::is_plain_without(text, *b"?#;%+ @") && !secrets.may_match_in(text)
        }
        Shape::Statement(_) => {
            fits && json::is_plain(text) && redact::is_shown_as_it_is(secrets, text)
        }
        Shape::Url | Shape::Path => fits && json::is_plain_without(text, *b"=?#@"),
        _ => false,
    }
}

/// The n-th 64-bit word of a value; 0 where it is too short.
pub(super) fn word(value: &[u8], n: usize) -> u64 {
    let bytes = value.get(n * 8..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}
