//! Attributes as they stand in a span's buffer: a header word of section, field
//! and length, then the bytes.

use std::str;

use crate::base::losses::Losses;
use crate::base::text::prefix;
use crate::record::log_entry::LogEntry;
use crate::record::tag::{TagValue, kind};
use crate::record::{Section, sdk};
use crate::secrets::{STATEMENT_BYTES, kept};

/// Bytes of attributes a span may hold; what comes later is left out and counted.
pub(crate) const MAX_ATTRIBUTES: usize = 16 * 1024;

/// Bytes of the word before each attribute.
pub(crate) const HEADER: usize = 4;

/// Something attributes can be recorded on: a [`Span`](crate::trace::span::Span), or a
/// [`Handle`](crate::trace::span::Handle) to one.
pub trait Recording {
    /// Calls `set` with a writer into `section`, unless nothing is recorded.
    fn with_fields(&mut self, section: &'static Section, set: impl FnOnce(Fields<'_>));
}

/// Writes attributes of one section. Used through the setters that
/// [`section!`](crate::section!) makes.
#[derive(Debug)]
pub struct Fields<'a> {
    out: &'a mut Vec<u8>,
    section: u8,
}

impl<'a> Fields<'a> {
    #[inline]
    pub(crate) fn new(out: &'a mut Vec<u8>, section: &'static Section) -> Self {
        Self {
            out,
            section: section.index(),
        }
    }

    /// Writes into the envelope: what stands beside `data`.
    pub(crate) fn envelope(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            section: ENVELOPE,
        }
    }

    /// Sets a field to text, cut to `limit` bytes.
    #[inline]
    pub fn text(&mut self, field: u8, value: &str, limit: u16) {
        self.bytes(field, cut(value, limit).as_bytes());
    }

    /// Sets a field to text that is redacted before it is cut to `limit` bytes,
    /// which is when it is sent.
    #[inline]
    pub fn redacted(&mut self, field: u8, value: &str, limit: u16) {
        self.bytes(field, cut_later(value, limit).as_bytes());
    }

    /// Sets a field to a statement of a database, cut to `limit` characters (and 12
    /// KiB) after passwords in it were replaced, which is when it is sent.
    #[inline]
    pub fn statement(&mut self, field: u8, value: &str, limit: u16) {
        self.bytes(field, cut_statement(value, limit).as_bytes());
    }

    /// Sets a field to the bytes of a number or a boolean.
    #[inline]
    pub fn bytes(&mut self, field: u8, value: &[u8]) {
        if self.reserve(field, value.len()) {
            self.out.extend_from_slice(value);
        }
    }

    /// Adds a name and its value to a field that is an object. The value is cut as
    /// in [`redacted`](Self::redacted). Part of a name does not tell whether the
    /// value is secret, so one of more than 255 bytes is left out and counted.
    pub fn pair(&mut self, field: u8, name: &str, value: &str, limit: u16) {
        if name.len() > usize::from(u8::MAX) {
            Losses::attribute();
            return;
        }
        let value = cut_later(value, limit);
        if self.reserve(field, 1 + name.len() + value.len()) {
            self.out.push(name.len() as u8);
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(value.as_bytes());
        }
    }

    /// Adds a name and its list of strings to a field that is an object. Name and
    /// strings are cut to `limit` bytes, at most 255. A list for which there is no
    /// room is left out and counted.
    pub fn named_list<'s>(
        &mut self,
        field: u8,
        name: &str,
        items: impl IntoIterator<Item = &'s str, IntoIter: Clone>,
        limit: u16,
    ) {
        let limit = limit.min(u16::from(u8::MAX));
        let name = cut(name, limit);
        let items = items.into_iter().map(move |item| cut(item, limit));
        let len = items
            .clone()
            .fold(name.len() + 1, |len, item| len + item.len() + 1);
        if self.reserve(field, len) {
            for text in std::iter::once(name).chain(items) {
                self.out.push(text.len() as u8);
                self.out.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// Adds a tag: a name and a typed value.
    pub(crate) fn tag(&mut self, name: &str, value: TagValue<'_>) {
        let name = cut(name, u16::from(u8::MAX));
        let mut number = [0; 8];
        let (kind, value) = value.encode(&mut number);
        if self.reserve(sdk::CUSTOM, 2 + name.len() + value.len()) {
            self.out.extend_from_slice(&[kind, name.len() as u8]);
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(value);
        }
    }

    /// Begins an entry of the span's log; `None` where there is no room for one.
    pub(crate) fn log(mut self, ticks: u64) -> Option<LogEntry<'a>> {
        let start = self.out.len();
        let fits = self.reserve(sdk::CUSTOM, LogEntry::PREFIX);
        fits.then(|| LogEntry::begin(self.out, start, ticks))
    }

    /// Room for `len` bytes behind a header word, which is written.
    #[inline]
    fn reserve(&mut self, field: u8, len: usize) -> bool {
        let more = len + HEADER;
        let is_full = self.out.len() + more > MAX_ATTRIBUTES;
        let is_small = self.out.capacity() - self.out.len() < more;
        if (is_full || is_small) && !grow(self.out, more) {
            return false;
        }
        let header = u32::from(self.section) | u32::from(field) << 8 | (len as u32) << 16;
        self.out.extend_from_slice(&header.to_ne_bytes());
        true
    }
}

/// Makes room for `more` bytes; false, which is counted, where there may be none or is
/// no memory.
#[cold]
#[inline(never)]
fn grow(out: &mut Vec<u8>, more: usize) -> bool {
    let fits = out.len() + more <= MAX_ATTRIBUTES && out.try_reserve(more).is_ok();
    if !fits {
        Losses::attribute();
    }
    fits
}

/// The section index of what stands beside `data`. Sections begin at 1; one
/// beyond the registry's bound has 0, which is not written.
pub(crate) const ENVELOPE: u8 = u8::MAX;

/// Fields of the envelope.
pub(crate) mod envelope {
    /// `data.service`, instead of the configured one.
    pub(crate) const SERVICE: u8 = 0;
    /// The high half of `lt`.
    pub(crate) const LONG_TRACE: u8 = 1;
    /// `ia`: high and low half of its trace id, then its span id.
    pub(crate) const ANCESTOR: u8 = 2;
    /// `crtp`
    pub(crate) const CORRELATION_TYPE: u8 = 3;
    /// `crid`
    pub(crate) const CORRELATION_ID: u8 = 4;
    /// `b.s`; written once.
    pub(crate) const SIZE: u8 = 5;
    /// `stack`, as addresses; the first counts.
    pub(crate) const STACK: u8 = 6;
    /// How many there are.
    pub(crate) const FIELDS: usize = 7;
}

/// The number of calls that the span stands for by itself.
pub(crate) fn size(attributes: &[u8]) -> Option<u64> {
    let bytes = envelope_field(attributes, envelope::SIZE)?.first_chunk()?;
    Some(u64::from_ne_bytes(*bytes))
}

/// The first value of a field of the envelope.
pub(crate) fn envelope_field(attributes: &[u8], field: u8) -> Option<&[u8]> {
    let mut rest = attributes;
    while let Some((attribute, tail)) = Attribute::split(rest) {
        rest = tail;
        if attribute.section == ENVELOPE && attribute.field == field {
            return Some(attribute.value);
        }
    }
    None
}

/// An attribute read back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) section: u8,
    pub(crate) field: u8,
    pub(crate) value: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The first attribute of `bytes` and what follows it.
    #[inline]
    pub(crate) fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, rest) = bytes.split_first_chunk()?;
        let header = u32::from_ne_bytes(*header);
        let (value, rest) = rest.split_at_checked((header >> 16) as usize)?;
        Some((
            Self {
                section: header as u8,
                field: (header >> 8) as u8,
                value,
            },
            rest,
        ))
    }
}

/// The name and the value of a [pair](Fields::pair).
pub(crate) fn pair(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = value.split_first()?;
    rest.split_at_checked(usize::from(*len))
}

/// The name of a [list](Fields::named_list), and what stands behind it: again as
/// the name and what stands behind it, for each string.
pub(crate) fn named(value: &[u8]) -> Option<(&str, &[u8])> {
    let (text, rest) = pair(value)?;
    Some((str::from_utf8(text).ok()?, rest))
}

/// The name, the type and the value of a [tag](Fields::tag); `None` for an entry
/// of the log.
pub(crate) fn tag(value: &[u8]) -> Option<(&str, u8, &[u8])> {
    let (kind, rest) = value
        .split_first()
        .filter(|(kind, _)| **kind != kind::LOG)?;
    let (len, rest) = rest.split_first()?;
    let (name, value) = rest.split_at_checked(usize::from(*len))?;
    Some((str::from_utf8(name).ok()?, *kind, value))
}

/// Appends whole attributes while they fit.
pub(crate) fn append(out: &mut Vec<u8>, mut more: &[u8]) {
    while let Some((attribute, rest)) = Attribute::split(more) {
        let len = more.len() - rest.len();
        if out.len() + len > MAX_ATTRIBUTES || out.try_reserve(len).is_err() {
            Losses::attribute();
        } else {
            out.extend_from_slice(more.get(..len).unwrap_or(attribute.value));
        }
        more = rest;
    }
}

/// `text` up to `limit` bytes, at the boundary of a character.
#[inline]
pub(crate) fn cut(text: &str, limit: u16) -> &str {
    if text.len() <= limit as usize {
        text
    } else {
        cut_long(text, limit as usize)
    }
}

/// As [`cut`], but for what is needed to redact the text before.
#[inline]
pub(crate) fn cut_later(text: &str, limit: u16) -> &str {
    if text.len() <= limit as usize {
        text
    } else {
        cut_long(text, kept(limit) as usize)
    }
}

#[cold]
fn cut_long(text: &str, limit: usize) -> &str {
    Losses::cut();
    prefix(text, limit)
}

/// As [`cut_later`], with a limit in characters.
#[inline]
pub(crate) fn cut_statement(text: &str, limit: u16) -> &str {
    if text.len() <= limit as usize {
        text
    } else {
        cut_long_statement(text, limit)
    }
}

#[cold]
fn cut_long_statement(text: &str, limit: u16) -> &str {
    let is_longer = text.chars().nth(usize::from(limit)).is_some();
    if is_longer || text.len() > STATEMENT_BYTES {
        Losses::cut();
    }
    let text = prefix(text, STATEMENT_BYTES);
    let end = text.char_indices().nth(usize::from(kept(limit)));
    let end = end.map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_a_character() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc");
        assert_eq!(cut("aäö", 2), "a", "half an umlaut is left out");
        assert_eq!(cut("äö", 0), "");
    }

    #[test]
    fn a_full_span_takes_no_more_attributes() {
        let mut out = Vec::new();
        let mut fields = Fields::envelope(&mut out);
        for _ in 0..100 {
            fields.text(0, &"x".repeat(1000), 1000);
        }
        assert!(out.len() <= MAX_ATTRIBUTES);
        assert!(out.len() > MAX_ATTRIBUTES - 1004);
        let mut rest = out.as_slice();
        while let Some((attribute, tail)) = Attribute::split(rest) {
            assert_eq!(attribute.value.len(), 1000);
            rest = tail;
        }
        assert!(rest.is_empty(), "whole attributes only");
    }
}
