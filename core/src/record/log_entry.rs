//! What a span notes about itself while it runs.

use crate::base::clock;
use crate::base::losses::Losses;
use crate::record::fields::{Fields, HEADER, MAX_ATTRIBUTES, cut};
use crate::record::tag::{AsTag, TagValue, kind};

/// An entry of a span's log: its message stands there, further fields are added
/// here. See [`Span::log_with`](crate::trace::span::Span::log_with).
#[derive(Debug)]
pub struct LogEntry<'a> {
    /// The span's attributes, which end with this entry.
    out: &'a mut Vec<u8>,
    /// Where the entry's header word stands.
    start: usize,
}

/// What precedes a field: kind, length of the name, length of the value.
const FIELD: usize = 4;

impl<'a> LogEntry<'a> {
    /// Bytes of an entry without fields.
    pub(crate) const PREFIX: usize = 10;

    /// Writes the beginning of an entry, whose header word stands at `start`.
    pub(crate) fn begin(out: &'a mut Vec<u8>, start: usize, ticks: u64) -> Self {
        out.extend_from_slice(&[kind::LOG, 0]);
        out.extend_from_slice(&ticks.to_ne_bytes());
        Self { out, start }
    }

    /// Writes an entry into the section of SDK spans.
    pub(crate) fn write(
        section: Fields<'_>,
        message: &str,
        fields: impl FnOnce(&mut LogEntry<'_>),
    ) {
        if let Some(mut entry) = section.log(clock::ticks()) {
            entry.field("message", TagValue::Error(message));
            fields(&mut entry);
        }
    }

    /// Adds a field; adding one again replaces it. What the span has no room for
    /// is left out and counted.
    pub fn field(&mut self, name: &str, value: impl AsTag) -> &mut Self {
        let name = cut(name, u16::from(u8::MAX));
        let mut number = [0; 8];
        let (kind, value) = value.as_tag().encode(&mut number);
        let room = FIELD + name.len() + value.len();
        if self.out.len() + room > MAX_ATTRIBUTES || self.out.try_reserve(room).is_err() {
            Losses::attribute();
            return self;
        }
        self.out.extend_from_slice(&[kind, name.len() as u8]);
        let len = value.len() as u16;
        self.out.extend_from_slice(&len.to_ne_bytes());
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(value);
        self
    }
}

/// Also after a panic in the middle of an entry, attributes are whole.
impl Drop for LogEntry<'_> {
    fn drop(&mut self) {
        let len = self.out.len().saturating_sub(self.start + HEADER) as u32;
        let header = self.out.get_mut(self.start..self.start + HEADER);
        if let Some(header) = header.and_then(|header| header.first_chunk_mut()) {
            let word = u32::from_ne_bytes(*header) & 0xffff | len << 16;
            *header = word.to_ne_bytes();
        }
    }
}

/// An entry read back: when it was made, and its fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) ticks: u64,
    fields: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The entry in a value of `custom`; `None` for a tag.
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let [kind::LOG, _, rest @ ..] = value else {
            return None;
        };
        let (ticks, fields) = rest.split_first_chunk()?;
        Some(Self {
            ticks: u64::from_ne_bytes(*ticks),
            fields,
        })
    }

    /// Name, kind and bytes of each field.
    pub(crate) fn fields(self) -> impl Iterator<Item = (&'a str, u8, &'a [u8])> + Clone {
        let mut rest = self.fields;
        std::iter::from_fn(move || {
            let ([kind, name, low, high], tail) = rest.split_first_chunk::<FIELD>()?;
            let (name, tail) = tail.split_at_checked(usize::from(*name))?;
            let len = u16::from_ne_bytes([*low, *high]);
            let (value, tail) = tail.split_at_checked(usize::from(len))?;
            rest = tail;
            Some((std::str::from_utf8(name).ok()?, *kind, value))
        })
    }
}
