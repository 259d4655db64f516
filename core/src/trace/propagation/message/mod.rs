//! Trace context in messages: headers of Kafka records, attributes of messages
//! in SQS and SNS.

use crate::base::losses::Losses;
use crate::trace::propagation::Incoming;
use crate::trace::propagation::level::Level;

/// A header or an attribute of a message that carries trace context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageHeader {
    /// `X_INSTANA_C`, in Kafka's older form: 16 bytes of the trace id and 8 of the
    /// span id, the most significant first.
    Ids,
    /// `X_INSTANA_L_S`, in Kafka: `1`, or `0` for no tracing.
    KafkaLevel,
    /// `X_INSTANA_L`: as `X_INSTANA_L_S`, or, in Kafka's older form, a byte that is
    /// 1 or 0.
    Level,
    /// `X_INSTANA_S`: the span id, 1 to 16 hexadecimal digits.
    SpanId,
    /// `X_INSTANA_T`: the trace id, 1 to 32 hexadecimal digits.
    TraceId,
}

impl MessageHeader {
    const ALL: [Self; 5] = [
        Self::Ids,
        Self::KafkaLevel,
        Self::Level,
        Self::SpanId,
        Self::TraceId,
    ];

    /// The name as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ids => "X_INSTANA_C",
            Self::KafkaLevel => "X_INSTANA_L_S",
            Self::Level => "X_INSTANA_L",
            Self::SpanId => "X_INSTANA_S",
            Self::TraceId => "X_INSTANA_T",
        }
    }

    /// Whether two values of this header mean the same.
    #[cold]
    fn are_same(self, one: &[u8], other: Option<&[u8]>) -> bool {
        let is_id = matches!(self, Self::SpanId | Self::TraceId);
        let is_suppressing = |value: &[u8]| match value {
            [0] => true,
            text => Level::parse(text) == Level::Suppressed,
        };
        if matches!(self, Self::KafkaLevel | Self::Level) && is_suppressing(one) {
            return other.is_some_and(is_suppressing);
        }
        other.is_some_and(|other| match self {
            Self::Ids => one == other,
            _ => crate::trace::propagation::header::are_same(is_id, one, other),
        })
    }

    /// The one of this name, in whatever case: of Instana's tracers, that for Python
    /// writes lower case, those for Go and Node.js upper case.
    #[inline]
    pub fn named(name: &str) -> Option<Self> {
        // Most headers are somebody else's, of some other length.
        if !(11..=13).contains(&name.len()) {
            return None;
        }
        Self::ALL
            .into_iter()
            .find(|header| name.eq_ignore_ascii_case(header.name()))
    }
}

/// What a message that came in carries of its trace. Its headers or attributes
/// are [added](Self::add) one by one, also those that mean nothing here.
///
/// ```
/// use instana::propagation::MessageContext;
///
/// let mut context = MessageContext::default();
/// context.add("X_INSTANA_T", Some(b"fa2375d711a4ca0f"));
/// context.add("X_INSTANA_S", Some(b"37cb2d6e9b1c078a"));
/// assert!(context.is_continued());
/// let incoming = context.incoming();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageContext<'a> {
    /// By `MessageHeader`; the inner `None` is a header without a value, or with several
    /// that differ.
    values: [Option<Option<&'a [u8]>>; 5],
    is_unreadable: bool,
}

impl<'a> MessageContext<'a> {
    /// Takes a header or an attribute in; true if it carries trace context. Of
    /// several with one name and different values, none counts. `None` is a value that
    /// is missing, or of another type.
    #[inline]
    pub fn add(&mut self, name: &str, value: Option<&'a [u8]>) -> bool {
        let Some(header) = MessageHeader::named(name) else {
            return false;
        };
        if let Some(place) = self.values.get_mut(header as usize) {
            *place = Some(match place {
                None => value,
                Some(known) => known.filter(|known| header.are_same(known, value)),
            });
        }
        true
    }

    /// The context of a message whose headers cannot be read at all.
    pub const fn unreadable() -> Self {
        Self {
            values: [None; 5],
            is_unreadable: true,
        }
    }

    /// True for [`unreadable`](Self::unreadable) headers.
    pub const fn is_unreadable(&self) -> bool {
        self.is_unreadable
    }

    /// True where the message carries nothing of a trace.
    pub fn is_empty(&self) -> bool {
        !self.is_unreadable && self.values == [None; 5]
    }

    /// True where an entry continues a trace.
    pub fn is_continued(&self) -> bool {
        !self.is_suppressed() && self.parent().is_some()
    }

    /// True where the message asks for no tracing.
    pub fn is_suppressed(&self) -> bool {
        [MessageHeader::KafkaLevel, MessageHeader::Level]
            .into_iter()
            .any(|header| self.level(header) == Some(Level::Suppressed))
    }

    /// What the entry of the message continues. What is there and cannot be
    /// understood begins a trace, and is counted
    /// ([`SpanCounts::contexts_malformed`](crate::SpanCounts::contexts_malformed)).
    pub fn incoming(&self) -> Incoming {
        if self.is_suppressed() {
            return Incoming::suppressed();
        }
        let parent = self.parent();
        if parent.is_none() && self.is_malformed() {
            Losses::context();
        }
        parent.unwrap_or_default()
    }

    /// Counts a message that goes out without its trace, because it has no room
    /// for it ([`SpanCounts::contexts_omitted`](crate::SpanCounts::contexts_omitted)).
    pub fn omitted() {
        Losses::omitted_context();
    }

    /// The text form counts more than the older one.
    fn parent(&self) -> Option<Incoming> {
        let (trace, span) = (MessageHeader::TraceId, MessageHeader::SpanId);
        let text = self.value(trace).zip(self.value(span));
        let text = text.and_then(|(trace, span)| Incoming::of_pair(trace, span));
        text.or_else(|| {
            let (high, ids) = self.value(MessageHeader::Ids)?.split_first_chunk()?;
            let (low, span) = ids.split_first_chunk()?;
            let trace = (u64::from_be_bytes(*high), u64::from_be_bytes(*low));
            Incoming::of_numbers(trace, u64::from_be_bytes(span.try_into().ok()?))
        })
    }

    /// Whether there is more than a level without ids.
    fn is_malformed(&self) -> bool {
        let levels = [MessageHeader::KafkaLevel, MessageHeader::Level];
        let ids = [
            MessageHeader::TraceId,
            MessageHeader::SpanId,
            MessageHeader::Ids,
        ];
        self.is_unreadable
            || ids.iter().any(|header| self.given(*header).is_some())
            || levels.iter().any(|header| {
                self.given(*header).is_some() && self.level(*header) == Some(Level::Absent)
            })
    }

    fn level(&self, header: MessageHeader) -> Option<Level> {
        Some(match self.given(header)? {
            Some([0]) => Level::Suppressed,
            Some([1]) => Level::Traced,
            Some(text) => Level::parse(text),
            None => Level::Absent,
        })
    }

    fn value(&self, header: MessageHeader) -> Option<&'a [u8]> {
        self.given(header)?
    }

    fn given(&self, header: MessageHeader) -> Option<Option<&'a [u8]>> {
        *self.values.get(header as usize)?
    }
}

#[cfg(test)]
mod tests;
