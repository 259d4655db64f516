//! Entries of received messages.

use std::future::Future;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use instana::propagation::Incoming;
use instana::{FutureExt, InSpan, Span};

use super::envelope;
use super::{ENTRY, Sqs};
use crate::attributes::{LEVEL, SPAN_ID, TRACE_ID};

/// Handles a received message inside an entry that continues the sender's trace:
/// a [`Message`], or several at once.
///
/// The context is in the message's attributes, or, for a notification of SNS
/// without raw delivery, in its body. Ids that cannot be read count as none: the
/// entry begins a trace. Several messages are one entry, with their number; it
/// continues the first context there is.
///
/// ```no_run
/// use aws_sdk_sqs::Client;
/// use instana_aws_sdk::MessageExt;
///
/// # async fn work(_: &aws_sdk_sqs::types::Message) {}
/// # async fn f(sqs: Client, url: &str) -> Result<(), aws_sdk_sqs::Error> {
/// let received = sqs.receive_message().queue_url(url).send().await?;
/// for message in received.messages() {
///     message.in_entry_span_of(url, work(message)).await;
/// }
/// # Ok(())
/// # }
/// ```
pub trait MessageExt {
    /// The entry of what is done with it. A message does not know its queue: see
    /// [`entry_span_of`](Self::entry_span_of).
    fn entry_span(&self) -> Span {
        self.entry_span_of("")
    }

    /// The entry of what is done with it, with the URL of its queue.
    fn entry_span_of(&self, queue_url: &str) -> Span;

    /// Runs `future` inside the entry, which ends with it.
    ///
    /// Errors that `future` returns are its own affair:
    /// [`instana::current`]`(|span| span.record_error(…))` records them. A panic is
    /// recorded and goes on.
    fn in_entry_span<F: Future>(&self, future: F) -> InSpan<F> {
        future.in_span(self.entry_span())
    }

    /// As [`in_entry_span`](Self::in_entry_span), with the URL of the queue.
    fn in_entry_span_of<F: Future>(&self, queue_url: &str, future: F) -> InSpan<F> {
        future.in_span(self.entry_span_of(queue_url))
    }
}

impl MessageExt for Message {
    fn entry_span_of(&self, queue_url: &str) -> Span {
        let incoming = incoming(self).unwrap_or_default();
        let mut span = Span::entry(&ENTRY, &incoming);
        let group = || self.attributes()?.get(&MessageSystemAttributeName::MessageGroupId);
        describe(&mut span, queue_url, |sqs| {
            if let Some(group) = group() {
                sqs.group(group);
            }
        });
        span
    }
}

impl MessageExt for [Message] {
    fn entry_span_of(&self, queue_url: &str) -> Span {
        let incoming = self.iter().find_map(incoming).unwrap_or_default();
        let mut span = Span::entry(&ENTRY, &incoming);
        span.batch_size(u32::try_from(self.len()).unwrap_or(u32::MAX));
        describe(&mut span, queue_url, |sqs| {
            sqs.size(self.len() as i64);
        });
        span
    }
}

fn describe(span: &mut Span, queue_url: &str, more: impl FnOnce(&mut Sqs<'_>)) {
    Sqs::record(span, |sqs| {
        sqs.sort("entry");
        if !queue_url.is_empty() {
            sqs.queue(queue_url);
        }
        more(sqs);
    });
    span.decide();
}

/// What a message carries; `None` where that is nothing.
fn incoming(message: &Message) -> Option<Incoming> {
    let mut context = MessageContext::default();
    for (name, value) in message.message_attributes().into_iter().flatten() {
        context.add(name, || text(value));
    }
    if context.is_empty() {
        context = envelope::context(message.body()?)?;
    }
    context.into_incoming()
}

/// The text of an attribute, whatever its type.
fn text(value: &MessageAttributeValue) -> Option<&str> {
    value
        .string_value()
        .or_else(|| std::str::from_utf8(value.binary_value()?.as_ref()).ok())
}

/// The ids and the level that stand in a message, in whatever case.
#[derive(Debug, Default)]
pub(super) struct MessageContext {
    trace: Option<String>,
    span: Option<String>,
    level: Option<String>,
}

/// Bytes of a longer value are no id and no level.
const LONGEST: usize = 64;

impl MessageContext {
    /// Takes an attribute that is context, and leaves others alone.
    pub(super) fn add<T: AsRef<str>>(&mut self, name: &str, value: impl FnOnce() -> Option<T>) {
        let slot = if name.eq_ignore_ascii_case(TRACE_ID) {
            &mut self.trace
        } else if name.eq_ignore_ascii_case(SPAN_ID) {
            &mut self.span
        } else if name.eq_ignore_ascii_case(LEVEL) {
            &mut self.level
        } else {
            return;
        };
        let value = value();
        let value = value.as_ref().map(AsRef::as_ref).unwrap_or_default();
        let fits = if value.len() <= LONGEST { value } else { "" };
        *slot = Some(fits.trim().to_owned());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.trace.is_none() && self.span.is_none() && self.level.is_none()
    }

    fn into_incoming(self) -> Option<Incoming> {
        if self.level.as_deref() == Some("0") {
            return Some(Incoming::suppressed());
        }
        let (trace, span) = self.trace.zip(self.span)?;
        Some(Incoming::from_ids(&trace, &span))
    }
}
