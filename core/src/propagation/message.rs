//! Trace context in messages: headers of Kafka records, attributes of messages
//! in SQS and SNS.

use super::Incoming;
use super::instana::Level;
use crate::status::DROPS;

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
    /// By `MessageHeader`; the inner `None` is a header without a value.
    values: [Option<Option<&'a [u8]>>; 5],
    is_unreadable: bool,
}

impl<'a> MessageContext<'a> {
    /// Takes a header or an attribute in; true if it carries trace context. Of
    /// several with one name the last counts, as records are appended to. `None`
    /// is a value that is missing, or of another type.
    #[inline]
    pub fn add(&mut self, name: &str, value: Option<&'a [u8]>) -> bool {
        let Some(header) = MessageHeader::named(name) else {
            return false;
        };
        if let Some(place) = self.values.get_mut(header as usize) {
            *place = Some(value);
        }
        true
    }

    /// That of a message whose headers cannot be read at all.
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
            DROPS.context();
        }
        parent.unwrap_or_default()
    }

    /// Counts a message that goes out without its trace, because it has no room
    /// for it ([`SpanCounts::contexts_omitted`](crate::SpanCounts::contexts_omitted)).
    pub fn omitted() {
        DROPS.omitted_context();
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
mod tests {
    use super::*;
    use crate::span::Kind;
    use crate::span::http;
    use crate::testing::Recorder;
    use crate::{Span, status};
    use proptest::prelude::*;

    const T: &[u8] = b"fa2375d711a4ca0f";
    const PADDED: &[u8] = b"0000000000000000fa2375d711a4ca0f";
    const LONG: &[u8] = b"0373e5f7aca1cdeffa2375d711a4ca0f";
    const S: &[u8] = b"37cb2d6e9b1c078a";
    const C: &[u8] =
        b"\0\0\0\0\0\0\0\0\xfa\x23\x75\xd7\x11\xa4\xca\x0f\x37\xcb\x2d\x6e\x9b\x1c\x07\x8a";

    #[derive(Debug, PartialEq, Eq)]
    enum Expected {
        Continued,
        Fresh,
        Malformed,
        Suppressed,
    }
    use Expected::{Continued, Fresh, Malformed, Suppressed};

    type Headers<'a> = &'a [(&'a str, Option<&'a [u8]>)];

    fn context<'a>(headers: Headers<'a>) -> MessageContext<'a> {
        let mut context = MessageContext::default();
        for (name, value) in headers {
            context.add(name, *value);
        }
        context
    }

    #[test]
    fn of_several_the_first_trace_goes_on_and_only_all_are_suppressed() {
        let traced = || Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a");
        let (fresh, suppressed) = (Incoming::none, Incoming::suppressed);
        let other = Incoming::from_ids("1", "2");
        let first = Incoming::first_of([suppressed(), fresh(), traced(), other]);
        assert_eq!(first.trace, 0xfa23_75d7_11a4_ca0f);
        for (messages, is_suppressed) in [
            (vec![suppressed(), fresh()], false),
            (vec![suppressed(), suppressed()], true),
            (vec![], true),
        ] {
            let first = Incoming::first_of(messages);
            assert_eq!((first.is_suppressed(), first.trace), (is_suppressed, 0));
        }
    }

    fn outcome(context: &MessageContext<'_>) -> Expected {
        let incoming = context.incoming();
        if incoming.is_suppressed() {
            assert!(context.is_suppressed() && !context.is_continued());
            return Suppressed;
        }
        if incoming.trace == 0 {
            let is_malformed = context.is_malformed();
            return if is_malformed { Malformed } else { Fresh };
        }
        assert!(context.is_continued());
        assert_eq!(
            (incoming.trace, incoming.parent),
            (0xfa23_75d7_11a4_ca0f, 0x37cb_2d6e_9b1c_078a)
        );
        Continued
    }

    #[test]
    fn what_siblings_write_is_understood() {
        let upper = ("X_INSTANA_T", "X_INSTANA_S", "X_INSTANA_L_S");
        let lower = ("x_instana_t", "x_instana_s", "x_instana_l_s");
        let table: [(Headers<'_>, Expected); 26] = [
            (&[], Fresh),
            (
                &[("color", Some(b"red")), ("X_INSTANA_X", Some(b"1"))],
                Fresh,
            ),
            // Go.
            (
                &[
                    (upper.0, Some(PADDED)),
                    (upper.1, Some(S)),
                    (upper.2, Some(b"1")),
                ],
                Continued,
            ),
            // Node, with and without a level.
            (&[(upper.0, Some(PADDED)), (upper.1, Some(S))], Continued),
            // Python.
            (
                &[
                    (lower.0, Some(T)),
                    (lower.1, Some(S)),
                    (lower.2, Some(b"1")),
                ],
                Continued,
            ),
            (
                &[
                    ("X_InStAnA_t", Some(b" FA2375D711A4CA0F ")),
                    (lower.1, Some(S)),
                ],
                Continued,
            ),
            // The last one counts.
            (
                &[
                    (lower.0, Some(b"1")),
                    (lower.1, Some(b"2")),
                    (upper.0, Some(T)),
                    (upper.1, Some(S)),
                ],
                Continued,
            ),
            // The older form, and both.
            (
                &[("X_INSTANA_C", Some(C)), ("X_INSTANA_L", Some(&[1]))],
                Continued,
            ),
            (&[("x_instana_c", Some(C))], Continued),
            (
                &[
                    ("X_INSTANA_C", Some(C)),
                    (upper.0, Some(b"zz")),
                    (upper.1, Some(S)),
                ],
                Continued,
            ),
            (
                &[
                    ("X_INSTANA_C", Some(&[1; 24])),
                    (upper.0, Some(T)),
                    (upper.1, Some(S)),
                ],
                Continued,
            ),
            // Suppression, which ids do not change.
            (&[(upper.2, Some(b"0"))], Suppressed),
            (
                &[
                    (lower.2, Some(b"0")),
                    (upper.0, Some(T)),
                    (upper.1, Some(S)),
                ],
                Suppressed,
            ),
            (
                &[("X_INSTANA_L", Some(&[0])), ("X_INSTANA_C", Some(C))],
                Suppressed,
            ),
            (&[("X_INSTANA_L", Some(b"0"))], Suppressed),
            // Levels alone.
            (&[(upper.2, Some(b"1"))], Fresh),
            (&[("X_INSTANA_L", Some(&[1]))], Fresh),
            (&[(upper.2, Some(b"2"))], Malformed),
            (&[("X_INSTANA_L", Some(b""))], Malformed),
            // What cannot be read.
            (&[(upper.0, Some(T))], Malformed),
            (&[(upper.1, Some(S)), (upper.2, Some(b"1"))], Malformed),
            (&[(upper.0, None), (upper.1, None)], Malformed),
            (
                &[(upper.0, Some(&[0xff; 32])), (upper.1, Some(S))],
                Malformed,
            ),
            (
                &[(upper.0, Some(&[b'1'; 33])), (upper.1, Some(S))],
                Malformed,
            ),
            (&[("X_INSTANA_C", Some(&[1; 23]))], Malformed),
            (&[("X_INSTANA_C", Some(&[0; 24]))], Malformed),
        ];
        for (headers, expected) in table {
            let context = context(headers);
            assert_eq!(outcome(&context), expected, "{headers:?}");
            assert_eq!(context.is_empty(), expected == Fresh && headers.len() != 1);
        }
    }

    #[test]
    fn long_ids_are_recorded_as_such() {
        for (trace, long) in [
            (PADDED, None),
            (LONG, Some("0373e5f7aca1cdeffa2375d711a4ca0f")),
        ] {
            let recorder = Recorder::new();
            let headers = [("X_INSTANA_T", Some(trace)), ("X_INSTANA_S", Some(S))];
            let incoming = context(&headers).incoming();
            recorder.enter(|| Span::entry(&http::ENTRY, &incoming).end());
            let entry = recorder.span("g.http", Kind::Entry);
            assert_eq!(
                (entry.trace().as_bytes(), entry.parent().as_bytes()),
                (T, S)
            );
            assert_eq!(entry.text("lt").as_deref(), long);
        }
    }

    #[test]
    fn what_is_lost_is_counted() {
        let before = status().spans;
        context(&[("X_INSTANA_T", Some(b"garbage"))]).incoming();
        let unreadable = MessageContext::unreadable();
        assert!(unreadable.is_unreadable() && !unreadable.is_empty());
        unreadable.incoming();
        MessageContext::omitted();
        let after = status().spans;
        assert!(after.contexts_malformed >= before.contexts_malformed + 2);
        assert!(after.contexts_omitted > before.contexts_omitted);
    }

    proptest! {
        #[test]
        fn any_headers_can_be_read(
            headers in proptest::collection::vec((0usize..5, proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40))), 0..8),
        ) {
            let mut context = MessageContext::default();
            for (header, value) in &headers {
                let name = MessageHeader::ALL[*header].name();
                prop_assert!(context.add(name, value.as_deref()));
            }
            let incoming = context.incoming();
            prop_assert_eq!(incoming.is_suppressed(), context.is_suppressed());
            prop_assert_eq!(incoming.trace != 0, context.is_continued());
        }
    }
}
