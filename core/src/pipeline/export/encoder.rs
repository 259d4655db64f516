//! One record to one JSON object, in one pass, and without an allocation unless
//! it has very many tags.

use std::str;
use std::time::Instant;

use crate::base::clock::Timeline;
use crate::base::id;
use crate::base::json;
use crate::pipeline::export::batching::Batch;
use crate::pipeline::export::fragment::Fragment;
use crate::pipeline::export::frames::Resolver;
use crate::pipeline::export::value::{Value, word};
use crate::policy::stacks::Stacks;
use crate::record::fields;
use crate::record::fields::{Attribute, ENVELOPE, envelope};
use crate::record::head::{Head, Record, flag};
use crate::record::registry::{FAMILIES, SECTIONS};
use crate::record::{Family, Kind, Section, sdk};
use crate::secrets::Matcher;

/// What all spans of a request have in common.
#[derive(Debug)]
pub(crate) struct BatchContext<'a> {
    secrets: &'a Matcher,
    /// Which exits have stacks; `None`: none.
    stacks: Option<&'a Stacks>,
    timeline: Timeline,
    /// From `f` to the beginning of `data`.
    before_data: Fragment,
    /// The configured service as the first member of `data`, with the comma
    /// behind it; empty where there is none.
    service: Fragment,
}

impl<'a> BatchContext<'a> {
    /// `from` is `f` as JSON; empty: no `f`.
    pub(crate) fn new(
        from: &str,
        service: Option<&str>,
        secrets: &'a Matcher,
        timeline: Timeline,
    ) -> Self {
        let mut before_data = Vec::new();
        if !from.is_empty() {
            before_data.extend_from_slice(b",\"f\":");
            before_data.extend_from_slice(from.as_bytes());
        }
        before_data.extend_from_slice(b",\"data\":{");
        Self {
            secrets,
            stacks: None,
            timeline,
            before_data: Fragment::new(before_data),
            service: Fragment::new(service.map_or_else(Vec::new, service_member)),
        }
    }

    /// With the stacks that these settings want.
    pub(crate) fn with_stacks(mut self, stacks: &'a Stacks) -> Self {
        self.stacks = Some(stacks);
        self
    }
}

fn service_member(service: &str) -> Vec<u8> {
    let mut json = b"\"service\":".to_vec();
    json::string(&mut json, service);
    json.push(b',');
    json
}

/// A record that cannot be written: its family or its attributes are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Invalid;

/// Keeps its memory from span to span.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// Each with its name and kind as JSON.
    families: Vec<(&'static Family, Fragment)>,
    sections: Vec<Layout>,
    /// The number of this span.
    span: u32,
    /// Sections of this span, in the order of their first attribute.
    present: Vec<u8>,
    /// Whether something stands beside `data`, or in place of the service name.
    has_envelope: bool,
    /// Whether a field was written twice.
    has_repeated: bool,
    /// Text on its way through redaction.
    scratch: String,
    stacks: Resolver,
}

/// A section, and where the last value of each of its fields stands.
#[derive(Debug)]
struct Layout {
    section: &'static Section,
    /// `"key":` of the section.
    open: Fragment,
    keys: Vec<Fragment>,
    /// For each field the number of the span that had it last, and the offset of
    /// its last value there.
    last: Vec<(u32, u32)>,
}

impl Layout {
    fn new(section: &'static Section) -> Self {
        let mut open = Vec::new();
        json::string(&mut open, section.key());
        open.push(b':');
        Self {
            section,
            open: Fragment::new(open),
            keys: section
                .fields()
                .iter()
                .map(|field| Fragment::key(field.key))
                .collect(),
            last: vec![(0, 0); section.fields().len()],
        }
    }
}

/// What stands between the ids and the time: `","n":"name","k":1,"ts":`.
fn name_and_kind(family: &Family) -> Fragment {
    let mut json = b"\",\"n\":".to_vec();
    json::string(&mut json, family.name());
    json.extend_from_slice(b",\"k\":");
    json.push(b'0' + family.kind().number());
    json.extend_from_slice(b",\"ts\":");
    Fragment::new(json)
}

impl Encoder {
    /// One that resolves each stack, however long that takes.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn unhurried() -> Self {
        Self {
            stacks: Resolver::unhurried(),
            ..Self::default()
        }
    }

    /// Called now and then: frees what was not needed for long.
    pub(crate) fn tick(&mut self) {
        self.stacks.tick(Instant::now());
    }

    /// Appends the span, which may stand for a `batch` of spans. On an error,
    /// `out` is as it was. Not inlined: the benchmarks count it by its name.
    #[inline(never)]
    pub(crate) fn encode(
        &mut self,
        record: &Record<'_>,
        batch: Option<&Batch>,
        surroundings: &BatchContext<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Invalid> {
        let index = usize::from(record.head.traits.family());
        let family = self.family(index).ok_or(Invalid)?;
        self.survey(record.attributes, family);
        self.ids(&record.head, index, out);
        match batch {
            None => times(&record.head, &surroundings.timeline, out),
            Some(batch) => batch_times(batch, out),
        }
        if record.head.traits.flags() != 0 {
            flags(record.head.traits.flags(), out);
        }
        if self.has_envelope {
            envelope(record, batch.is_some(), out);
            if family.kind() == Kind::Exit {
                self.stack(record, batch, family, surroundings, out);
            }
        }
        self.data(record.attributes, family, surroundings, out);
        out.push(b'}');
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
    #[inline]
    fn survey(&mut self, attributes: &[u8], family: &'static Family) {
        self.present.clear();
        self.has_envelope = false;
        self.has_repeated = false;
        let own = family.section().index();
        if !self.is_usual(attributes, own) {
            self.note_all(attributes);
        }
        // The family's own section is there even if it is empty.
        self.note(own);
    }

    /// True where there is one section, with each field once.
    #[inline]
    fn is_usual(&mut self, attributes: &[u8], own: u8) -> bool {
        let mut seen = 0_u64;
        let mut rest = attributes;
        while let Some((attribute, tail)) = Attribute::split(rest) {
            rest = tail;
            if attribute.section != own {
                if attribute.section != ENVELOPE {
                    return false;
                }
                self.has_envelope = true;
                continue;
            }
            let field = 1 << (attribute.field & 63);
            if seen & field != 0 {
                return false;
            }
            seen |= field;
        }
        true
    }

    #[inline(never)]
    fn note_all(&mut self, attributes: &[u8]) {
        self.number();
        let mut current = ENVELOPE;
        let mut rest = attributes;
        while let Some((attribute, tail)) = Attribute::split(rest) {
            let offset = (attributes.len() - rest.len()) as u32;
            rest = tail;
            if attribute.section == ENVELOPE {
                self.has_envelope = true;
                continue;
            }
            if attribute.section != current {
                current = attribute.section;
                self.note(current);
            }
            let layout = self.sections.get_mut(usize::from(current).wrapping_sub(1));
            let last = layout.and_then(|at| at.last.get_mut(usize::from(attribute.field)));
            if let Some(last) = last {
                self.has_repeated |= last.0 == self.span;
                *last = (self.span, offset);
            }
        }
    }

    /// Numbers begin again after four billion spans, and what was noted is
    /// forgotten then.
    fn number(&mut self) {
        self.span = self.span.wrapping_add(1);
        if self.span == 0 {
            self.sections.clear();
            self.span = 1;
        }
    }

    /// Notes that a section is present.
    #[inline]
    fn note(&mut self, section: u8) {
        if usize::from(section) > self.sections.len() {
            let known = self.sections.len();
            let new = SECTIONS.all().into_iter().skip(known);
            self.sections.extend(new.map(Layout::new));
        }
        let is_known = (1..=self.sections.len()).contains(&usize::from(section));
        if is_known && self.present.iter().all(|present| *present != section) {
            self.present.push(section);
        }
    }

    /// Everything up to the times.
    fn ids(&self, head: &Head, family: usize, out: &mut Vec<u8>) {
        let mut ids =
            *b"{\"t\":\"0123456789abcdef\",\"s\":\"0123456789abcdef\",\"p\":\"0123456789abcdef";
        id::put(&mut ids, 6, id::hex(head.trace));
        id::put(&mut ids, 29, id::hex(head.span));
        id::put(&mut ids, 52, id::hex(head.parent));
        out.extend_from_slice(&ids);
        if head.parent == 0 {
            out.truncate(out.len() - ",\"p\":\"0123456789abcdef\"".len());
        }
        if let Some((_, json)) = self.families.get(family.wrapping_sub(1)) {
            json.append(out);
        }
    }

    #[cold]
    fn stack(
        &mut self,
        record: &Record<'_>,
        batch: Option<&Batch>,
        family: &'static Family,
        surroundings: &BatchContext<'_>,
        out: &mut Vec<u8>,
    ) {
        let errors = batch.map_or(record.head.traits.errors().into(), |batch| batch.errors);
        let wanted = surroundings.stacks.map(|stacks| stacks.wanted(family));
        let frames = wanted.map_or(0, |wanted| wanted.for_errors(errors));
        let addresses = fields::envelope_field(record.attributes, envelope::STACK);
        if let Some(addresses) = addresses.filter(|_| frames > 0) {
            self.stacks.write(addresses, frames.into(), out);
        }
    }

    fn data(
        &mut self,
        attributes: &[u8],
        family: &Family,
        surroundings: &BatchContext<'_>,
        out: &mut Vec<u8>,
    ) {
        surroundings.before_data.append(out);
        let own = self.has_envelope.then(|| own_service(attributes)).flatten();
        match own {
            Some(service) => out.extend_from_slice(&service_member(service)),
            None => surroundings.service.append(out),
        }
        let present = std::mem::take(&mut self.present);
        for section in &present {
            self.section(*section, attributes, family, surroundings, out);
            out.push(b',');
        }
        self.present = present;
        // The last comma, or a service's, if there is no section.
        if let Some(comma @ b',') = out.last_mut() {
            *comma = b'}';
        } else {
            out.push(b'}');
        }
    }

    fn section(
        &mut self,
        index: u8,
        attributes: &[u8],
        family: &Family,
        surroundings: &BatchContext<'_>,
        out: &mut Vec<u8>,
    ) {
        let Some(layout) = self.sections.get(usize::from(index).wrapping_sub(1)) else {
            return;
        };
        layout.open.append(out);
        // Each member begins with a comma, the first of which becomes the brace.
        let start = out.len();
        let is_sdk = std::ptr::eq(layout.section, &raw const sdk::SECTION);
        if is_sdk && std::ptr::eq(family.section(), &raw const sdk::SECTION) {
            out.extend_from_slice(b",\"type\":");
            json::string(out, family.kind().word());
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
            if self.has_repeated && layout.last.get(number) != Some(&(self.span, offset as u32)) {
                continue;
            }
            let value = Value {
                attribute,
                before: if self.has_repeated {
                    attributes.get(..offset).unwrap_or_default()
                } else {
                    &[]
                },
                secrets: surroundings.secrets,
                timeline: &surroundings.timeline,
                scratch: &mut self.scratch,
            };
            value.write(key, field, out);
        }
        match out.get_mut(start) {
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }
}

#[inline]
fn times(head: &Head, timeline: &Timeline, out: &mut Vec<u8>) {
    json::unsigned(out, timeline.unix_millis(head.start));
    out.extend_from_slice(b",\"d\":");
    json::unsigned(out, timeline.millis(head.start, head.end));
    match head.traits.errors() {
        0 => out.extend_from_slice(b",\"ec\":0"),
        errors => member_number(out, b",\"ec\":", u64::from(errors)),
    }
}

#[cold]
fn batch_times(batch: &Batch, out: &mut Vec<u8>) {
    json::unsigned(out, batch.start);
    member_number(out, b",\"d\":", batch.duration);
    member_number(out, b",\"ec\":", batch.errors);
    member_number(out, b",\"b\":{\"s\":", batch.size);
    member_number(out, b",\"d\":", batch.busy);
    out.push(b'}');
}

fn member_number(out: &mut Vec<u8>, key: &[u8], number: u64) {
    out.extend_from_slice(key);
    json::unsigned(out, number);
}

#[cold]
fn flags(flags: u16, out: &mut Vec<u8>) {
    if flags & flag::SYNTHETIC != 0 {
        out.extend_from_slice(b",\"sy\":true");
    }
    if flags & flag::W3C_PARENT != 0 {
        out.extend_from_slice(b",\"tp\":true");
    }
}

/// The rest of what stands beside `data`: the last value of each field.
fn envelope(record: &Record<'_>, is_batch: bool, out: &mut Vec<u8>) {
    let mut last = [None; envelope::FIELDS];
    let mut rest = record.attributes;
    while let Some((attribute, tail)) = Attribute::split(rest) {
        rest = tail;
        if attribute.section == ENVELOPE {
            if let Some(last) = last.get_mut(usize::from(attribute.field)) {
                *last = Some(attribute.value);
            }
        }
    }
    // In the order of their numbers.
    let [_, long_trace, ancestor_ids, kind, id, size, _] = last;
    if let Some(high) = long_trace {
        let mut long = *b",\"lt\":\"0123456789abcdef0123456789abcdef\"";
        id::put(&mut long, 7, id::hex(word(high, 0)));
        id::put(&mut long, 23, id::hex(record.head.trace));
        out.extend_from_slice(&long);
    }
    if let Some(ids) = ancestor_ids {
        ancestor(ids, out);
    }
    if let Some(kind) = kind {
        member(out, ",\"crtp\":", kind);
    }
    if let Some(id) = id {
        member(out, ",\"crid\":", id);
    }
    if let Some(size) = size.filter(|_| !is_batch) {
        member_number(out, b",\"b\":{\"s\":", word(size, 0));
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
    // A long id stays as it is (docs/PROTOCOL.md, "Ids").
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
