//! One record to one JSON object, in one pass, and without an allocation unless
//! it has very many tags.

use std::str;

use super::value::{Members, Value, word};
use crate::clock::Timeline;
use crate::id;
use crate::json;
use crate::record::{FAMILIES, Record, SECTIONS, flag};
use crate::secrets::Matcher;
use crate::span::fields::{Attribute, ENVELOPE, envelope};
use crate::span::{Family, Section, sdk};

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

    /// The rest of what stands beside `data`: the last value of each field.
    fn envelope(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let last = |field| last_in_envelope(record.attributes, field);
        if let Some(high) = last(envelope::LONG_TRACE) {
            out.extend_from_slice(b",\"lt\":\"");
            out.extend_from_slice(&id::hex(word(high, 0)));
            out.extend_from_slice(&id::hex(record.head.trace));
            out.push(b'"');
        }
        if let Some(value) = last(envelope::ANCESTOR) {
            ancestor(value, out);
        }
        if let Some(kind) = last(envelope::CORRELATION_TYPE) {
            member(out, ",\"crtp\":", kind);
        }
        if let Some(id) = last(envelope::CORRELATION_ID) {
            member(out, ",\"crid\":", id);
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
                timeline: &surroundings.timeline,
                scratch: &mut self.scratch,
            };
            value.write(key, field.shape, &mut members);
        }
        out.push(b'}');
    }
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
    let service = last_in_envelope(attributes, envelope::SERVICE)?;
    str::from_utf8(service).ok().filter(|name| !name.is_empty())
}

fn last_in_envelope(attributes: &[u8], field: u8) -> Option<&[u8]> {
    let mut last = None;
    let mut rest = attributes;
    while let Some((attribute, tail)) = Attribute::split(rest) {
        rest = tail;
        if attribute.section == ENVELOPE && attribute.field == field {
            last = Some(attribute.value);
        }
    }
    last
}
