//! One record to one JSON object, in one pass, and without an allocation unless
//! it has very many tags.

use std::collections::HashMap;
use std::str;

use crate::clock::Timeline;
use crate::id;
use crate::json;
use crate::record::{FAMILIES, Record, SECTIONS, flag};
use crate::secrets::{self as redact, Matcher};
use crate::span::fields::{Attribute, ENVELOPE, envelope};
use crate::span::{Family, Section, Shape, sdk};

/// What all spans of a request have in common.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    /// `f` as JSON; empty: no `f`.
    pub(crate) from: &'a str,
    pub(crate) service: Option<&'a str>,
    pub(crate) secrets: &'a Matcher,
    pub(crate) timeline: Timeline,
}

/// A record that cannot be written: its family or its attributes are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

/// Keeps its memory from span to span.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// Each with its name and kind as JSON.
    families: Vec<(&'static Family, Vec<u8>)>,
    sections: Vec<Layout>,
    /// Sections of this span, in the order of their first attribute.
    present: Vec<u8>,
    /// Whether something stands beside `data`, or in place of the service name.
    has_envelope: bool,
    /// Text on its way through redaction.
    scratch: String,
}

/// A section, and where the last value of each of its fields stands.
#[derive(Debug)]
struct Layout {
    section: &'static Section,
    /// `"key":{` of the section.
    open: Vec<u8>,
    /// `"key":` of each field.
    keys: Vec<Vec<u8>>,
    /// Offset of the last value, behind 1; 0: none.
    last: Vec<u32>,
}

impl Layout {
    fn new(section: &'static Section) -> Self {
        let mut open = quoted(section.key());
        open.push(b'{');
        Self {
            section,
            open,
            keys: section
                .fields()
                .iter()
                .map(|field| quoted(field.key))
                .collect(),
            last: vec![0; section.fields().len()],
        }
    }
}

/// What stands behind the ids: `","n":"name","k":1`.
fn name_and_kind(family: &Family) -> Vec<u8> {
    let mut json = b"\",\"n\":".to_vec();
    json::string(&mut json, family.name());
    json.extend_from_slice(b",\"k\":");
    json.push(b'0' + family.kind().number());
    json
}

/// `"name":`
fn quoted(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    json::string(&mut key, name);
    key.push(b':');
    key
}

impl Encoder {
    /// Appends the span. On an error, `out` is as it was. Not inlined: the
    /// benchmarks count it by its name.
    #[inline(never)]
    pub(crate) fn encode(
        &mut self,
        record: &Record<'_>,
        surroundings: &Surroundings<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Invalid> {
        let index = usize::from(record.head.traits.family());
        let family = self.family(index).ok_or(Invalid)?;
        self.survey(record.attributes, family);
        self.head(record, index, surroundings, out);
        if self.has_envelope {
            self.envelope(record, out);
        }
        self.data(record.attributes, family, surroundings, out);
        out.push(b'}');
        self.forget();
        Ok(())
    }

    fn family(&mut self, index: usize) -> Option<&'static Family> {
        let at = index.checked_sub(1)?;
        if at >= self.families.len() {
            let known = self.families.len();
            let new = FAMILIES.all().into_iter().skip(known);
            self.families
                .extend(new.map(|family| (family, name_and_kind(family))));
        }
        self.families.get(at).map(|(family, _)| *family)
    }

    /// Notes which sections there are and where each field's last value stands.
    fn survey(&mut self, attributes: &[u8], family: &'static Family) {
        self.has_envelope = false;
        let mut rest = attributes;
        while let Some((attribute, tail)) = Attribute::split(rest) {
            let offset = attributes.len() - rest.len();
            rest = tail;
            if attribute.section == ENVELOPE {
                self.has_envelope = true;
                continue;
            }
            let Some(layout) = self.layout(attribute.section) else {
                continue;
            };
            if let Some(last) = layout.last.get_mut(usize::from(attribute.field)) {
                *last = offset as u32 + 1;
            }
            if !self.present.contains(&attribute.section) {
                self.present.push(attribute.section);
            }
        }
        // The family's own section is there even if it is empty.
        let own = family.section().index();
        if !self.present.contains(&own) {
            self.layout(own);
            self.present.push(own);
        }
    }

    fn layout(&mut self, section: u8) -> Option<&mut Layout> {
        let at = usize::from(section).checked_sub(1)?;
        if at >= self.sections.len() {
            let known = self.sections.len();
            let new = SECTIONS.all().into_iter().skip(known);
            self.sections.extend(new.map(Layout::new));
        }
        self.sections.get_mut(at)
    }

    fn forget(&mut self) {
        for section in self.present.drain(..) {
            if let Some(layout) = self.sections.get_mut(usize::from(section).wrapping_sub(1)) {
                layout.last.fill(0);
            }
        }
    }

    /// Everything up to `data` that the record's head knows.
    fn head(
        &self,
        record: &Record<'_>,
        family: usize,
        surroundings: &Surroundings<'_>,
        out: &mut Vec<u8>,
    ) {
        let head = &record.head;
        out.extend_from_slice(b"{\"t\":\"");
        out.extend_from_slice(&id::hex(head.trace));
        out.extend_from_slice(b"\",\"s\":\"");
        out.extend_from_slice(&id::hex(head.span));
        if head.parent != 0 {
            out.extend_from_slice(b"\",\"p\":\"");
            out.extend_from_slice(&id::hex(head.parent));
        }
        let family = self.families.get(family.wrapping_sub(1));
        out.extend_from_slice(family.map_or(b"\"".as_slice(), |(_, json)| json));
        out.extend_from_slice(b",\"ts\":");
        json::unsigned(out, surroundings.timeline.unix_millis(head.start));
        out.extend_from_slice(b",\"d\":");
        json::unsigned(out, surroundings.timeline.millis(head.start, head.end));
        out.extend_from_slice(b",\"ec\":");
        json::unsigned(out, u64::from(head.traits.errors()));
        if head.traits.flags() & flag::SYNTHETIC != 0 {
            out.extend_from_slice(b",\"sy\":true");
        }
        if head.traits.flags() & flag::W3C_PARENT != 0 {
            out.extend_from_slice(b",\"tp\":true");
        }
        if !surroundings.from.is_empty() {
            out.extend_from_slice(b",\"f\":");
            out.extend_from_slice(surroundings.from.as_bytes());
        }
    }

    /// The rest of what stands beside `data`.
    fn envelope(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let mut rest = record.attributes;
        while let Some((attribute, tail)) = Attribute::split(rest) {
            rest = tail;
            if attribute.section != ENVELOPE {
                continue;
            }
            match attribute.field {
                envelope::LONG_TRACE => {
                    out.extend_from_slice(b",\"lt\":\"");
                    out.extend_from_slice(&id::hex(word(attribute.value, 0)));
                    out.extend_from_slice(&id::hex(record.head.trace));
                    out.push(b'"');
                }
                envelope::ANCESTOR => ancestor(attribute.value, out),
                envelope::CORRELATION_TYPE => member(out, ",\"crtp\":", attribute.value),
                envelope::CORRELATION_ID => member(out, ",\"crid\":", attribute.value),
                _ => {}
            }
        }
    }

    fn data(
        &mut self,
        attributes: &[u8],
        family: &Family,
        surroundings: &Surroundings<'_>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b",\"data\":{");
        let mut first = true;
        let own = self.has_envelope.then(|| own_service(attributes)).flatten();
        if let Some(service) = own.or(surroundings.service) {
            out.extend_from_slice(b"\"service\":");
            json::string(out, service);
            first = false;
        }
        let present = std::mem::take(&mut self.present);
        for section in &present {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            self.section(*section, attributes, family, surroundings, out);
        }
        self.present = present;
        out.push(b'}');
    }

    fn section(
        &mut self,
        index: u8,
        attributes: &[u8],
        family: &Family,
        surroundings: &Surroundings<'_>,
        out: &mut Vec<u8>,
    ) {
        let Some(layout) = self.sections.get(usize::from(index).wrapping_sub(1)) else {
            return;
        };
        out.extend_from_slice(&layout.open);
        let mut members = Members::new(out);
        let is_sdk = std::ptr::eq(layout.section, &raw const sdk::SECTION);
        if is_sdk && std::ptr::eq(family.section(), &raw const sdk::SECTION) {
            members.key(b"\"type\":");
            json::string(members.out, family.kind().word());
        }
        let mut rest = attributes;
        while let Some((attribute, tail)) = Attribute::split(rest) {
            let offset = attributes.len() - rest.len();
            rest = tail;
            if attribute.section != index {
                continue;
            }
            let number = usize::from(attribute.field);
            let field = layout.section.fields().get(number);
            let Some((field, key)) = field.zip(layout.keys.get(number)) else {
                continue;
            };
            // Values of a field are written where its last one stands.
            if layout.last.get(usize::from(attribute.field)) != Some(&(offset as u32 + 1)) {
                continue;
            }
            let all = attributes
                .get(..offset + 4 + attribute.value.len())
                .unwrap_or_default();
            let value = Value {
                attribute,
                all,
                secrets: surroundings.secrets,
                scratch: &mut self.scratch,
            };
            value.write(key, field.shape, &mut members);
        }
        out.push(b'}');
    }
}

/// One field's value, with all that was written up to it.
struct Value<'a> {
    attribute: Attribute<'a>,
    all: &'a [u8],
    secrets: &'a Matcher,
    scratch: &'a mut String,
}

impl Value<'_> {
    fn write(self, key: &[u8], shape: Shape, members: &mut Members<'_>) {
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
            Shape::Tags => self.tags(key, members),
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

    fn tags(self, key: &[u8], members: &mut Members<'_>) {
        members.key(key);
        members.out.extend_from_slice(b"{\"tags\":{");
        let tags = || self.values().filter_map(tag);
        let is_last = is_last(tags().map(|(name, ..)| name));
        let mut inner = Members::new(members.out);
        for (position, (name, kind, value)) in tags().enumerate() {
            if !is_last(position, name) {
                continue;
            }
            write_tag(name, kind, value, self.secrets, &mut inner);
        }
        members.out.extend_from_slice(b"}}");
    }
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
    if kind == b'f' && !f64::from_bits(number).is_finite() {
        return;
    }
    members.name(name);
    match kind {
        b'i' => json::signed(members.out, number as i64),
        b'u' => json::unsigned(members.out, number),
        b'b' => members
            .out
            .extend_from_slice(if value == [1] { b"true" } else { b"false" }),
        b'f' => {
            json::float(members.out, f64::from_bits(number));
        }
        b'e' => {
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
struct Members<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Members<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
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
    fn key(&mut self, key: &[u8]) {
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

fn member(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    if let Ok(value) = str::from_utf8(value) {
        out.extend_from_slice(key.as_bytes());
        json::string(out, value);
    }
}

fn ancestor(value: &[u8], out: &mut Vec<u8>) {
    let (high, low, span) = (word(value, 0), word(value, 1), word(value, 2));
    out.extend_from_slice(b",\"ia\":{\"t\":\"");
    // A long id stays as it is (`reference`: the decision table).
    if high != 0 {
        out.extend_from_slice(&id::hex(high));
    }
    out.extend_from_slice(&id::hex(low));
    out.extend_from_slice(b"\",\"p\":\"");
    out.extend_from_slice(&id::hex(span));
    out.extend_from_slice(b"\"}");
}

fn own_service(attributes: &[u8]) -> Option<&str> {
    let mut service = None;
    let mut rest = attributes;
    while let Some((attribute, tail)) = Attribute::split(rest) {
        rest = tail;
        if attribute.section == ENVELOPE && attribute.field == envelope::SERVICE {
            service = str::from_utf8(attribute.value).ok();
        }
    }
    service.filter(|service| !service.is_empty())
}

/// The n-th 64-bit word of a value; 0 where it is too short.
fn word(value: &[u8], n: usize) -> u64 {
    let bytes = value.get(n * 8..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

fn pair(value: &[u8]) -> Option<(&str, &str)> {
    let (len, rest) = value.split_first()?;
    let (name, value) = rest.split_at_checked(usize::from(*len))?;
    Some((str::from_utf8(name).ok()?, str::from_utf8(value).ok()?))
}

fn tag(value: &[u8]) -> Option<(&str, u8, &[u8])> {
    let (kind, rest) = value.split_first()?;
    let (len, rest) = rest.split_first()?;
    let (name, value) = rest.split_at_checked(usize::from(*len))?;
    Some((str::from_utf8(name).ok()?, *kind, value))
}
