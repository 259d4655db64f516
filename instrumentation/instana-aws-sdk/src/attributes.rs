//! Trace context in the attributes of messages.

use std::collections::HashMap;

use instana::Span;
use instana::propagation::{MessageContext, MessageHeader};

/// The most attributes a message may have.
const MOST: usize = 10;

/// The most bytes of a message, body and attributes, or of a batch: what SNS
/// allows, as SQS did until 2025, and what SQS allows since.
const LIMITS: [usize; 2] = [256 * 1024, 1024 * 1024];

/// An attribute of a service's messages.
pub(crate) trait Attribute: Sized {
    /// One of type `String`.
    fn text(value: &str) -> Option<Self>;

    /// Bytes of type and value, as the service counts them.
    fn len(&self) -> usize;
}

/// The context that a message is to carry.
#[derive(Debug)]
pub(crate) struct Carried {
    /// The second may be absent.
    pairs: [Option<(MessageHeader, String)>; 2],
}

impl Carried {
    /// The context of a call, or that its trace is suppressed; `None` where there
    /// is neither.
    pub(crate) fn by(span: &Span) -> Option<Self> {
        let context = span.context();
        if context.is_suppressed() {
            return Some(Self {
                pairs: [Some((MessageHeader::Level, "0".to_owned())), None],
            });
        }
        let (trace, span) = context.trace_id().zip(context.span_id())?;
        Some(Self {
            pairs: [
                Some((MessageHeader::TraceId, trace)),
                Some((MessageHeader::SpanId, span)),
            ],
        })
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let pairs = self.pairs.iter().flatten();
        pairs.map(|(header, value)| (header.name(), value.as_str()))
    }

    fn count(&self) -> usize {
        self.pairs().count()
    }

    fn len(&self) -> usize {
        self.pairs()
            .map(|(name, value)| name.len() + "String".len() + value.len())
            .sum()
    }
}

/// Messages that are sent together.
#[derive(Debug)]
pub(crate) struct Parcel<'a> {
    carried: &'a Carried,
    /// Bytes of all messages so far.
    len: usize,
    /// Messages without context, because it did not fit.
    skipped: usize,
}

impl<'a> Parcel<'a> {
    /// `len`: the bytes of all messages.
    pub(crate) fn new(carried: &'a Carried, len: usize) -> Self {
        Self {
            carried,
            len,
            skipped: 0,
        }
    }

    /// Replaces the context of a message, or removes it if the new one does not fit:
    /// otherwise the message would fail, or continue a foreign trace.
    pub(crate) fn add<V: Attribute>(
        &mut self,
        body: &str,
        attributes: &mut Option<HashMap<String, V>>,
    ) {
        if let Some(attributes) = attributes {
            attributes.retain(|name, value| {
                let is_ours = MessageHeader::named(name).is_some();
                if is_ours {
                    self.len = self.len.saturating_sub(name.len() + value.len());
                }
                !is_ours
            });
        }
        let (count, len) = (self.carried.count(), self.carried.len());
        let has_room = attributes.as_ref().map_or(0, HashMap::len) + count <= MOST;
        if !has_room
            || crosses(message_len(body, attributes.as_ref()), len)
            || crosses(self.len, len)
        {
            self.skipped += 1;
            MessageContext::omitted();
            return;
        }
        for (name, value) in self.carried.pairs() {
            if let Some(value) = V::text(value) {
                let attributes = attributes.get_or_insert_default();
                attributes.insert(name.to_owned(), value);
            }
        }
        self.len += len;
    }

    /// Records on the span how many messages do not carry its context.
    pub(crate) fn close(self, span: &mut Span) {
        if self.skipped > 0 {
            span.tag("messages_without_context", self.skipped as u64);
        }
    }
}

/// Bytes of a message, as the service counts them.
pub(crate) fn message_len<V: Attribute>(
    body: &str,
    attributes: Option<&HashMap<String, V>>,
) -> usize {
    let attributes = attributes.into_iter().flatten();
    let len: usize = attributes
        .map(|(name, value)| name.len() + value.len())
        .sum();
    body.len() + len
}

/// True where a message that could be sent could not be with `added` bytes more.
fn crosses(len: usize, added: usize) -> bool {
    LIMITS
        .iter()
        .any(|limit| len <= *limit && *limit < len + added)
}
