//! Entries of received messages.

use std::future::Future;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use instana::propagation::{Incoming, MessageContext};
use instana::{FutureExt, InSpan, Span, Tracer};
use serde_json::Value;

use super::envelope;
use super::{Data, ENTRY};

/// Handles a received message inside an entry that continues the sender's trace:
/// a [`Message`], or several at once.
///
/// The context is in the message's attributes, or, for a notification of SNS
/// without raw delivery, in its body. Ids that cannot be read count as none: the
/// entry begins a trace. Several messages are one entry, with their number; it
/// continues the first trace that one of them carries, and is suppressed where all
/// of them ask for that. Of no messages, it is a no-op.
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
        let mut span = start(std::slice::from_ref(self));
        let group = || {
            self.attributes()?
                .get(&MessageSystemAttributeName::MessageGroupId)
        };
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
        // What an empty receive gives.
        if self.is_empty() {
            return Span::none();
        }
        let mut span = start(self);
        span.batch_size(u32::try_from(self.len()).unwrap_or(u32::MAX));
        describe(&mut span, queue_url, |sqs| {
            sqs.size(self.len() as i64);
        });
        span
    }
}

fn describe(span: &mut Span, queue_url: &str, more: impl FnOnce(&mut Data<'_>)) {
    Data::record(span, |sqs| {
        sqs.sort("entry");
        if !queue_url.is_empty() {
            sqs.queue(queue_url);
        }
        more(sqs);
    });
    span.decide();
}

/// Starts the entry of these messages. They are looked at where there is a tracer.
fn start(messages: &[Message]) -> Span {
    let tracer = Tracer::global().in_context();
    let incoming = if tracer.is_on() {
        incoming(messages)
    } else {
        Incoming::none()
    };
    tracer.entry(&ENTRY, &incoming)
}

/// The first trace. Contexts that cannot be understood are counted on the way.
fn incoming(messages: &[Message]) -> Incoming {
    Incoming::first_of(messages.iter().map(|message| {
        let mut notification = None;
        context(message, &mut notification).incoming()
    }))
}

/// What a message carries in its attributes, or else in the notification that its
/// body is.
fn context<'a>(message: &'a Message, notification: &'a mut Option<Value>) -> MessageContext<'a> {
    let mut context = MessageContext::default();
    for (name, value) in message.message_attributes().into_iter().flatten() {
        context.add(name, bytes(value));
    }
    if context.is_empty() {
        *notification = message.body().and_then(envelope::attributes);
        let attributes = notification.as_ref().and_then(Value::as_object);
        for (name, attribute) in attributes.into_iter().flatten() {
            let value = attribute.get("Value").and_then(Value::as_str);
            context.add(name, value.map(str::as_bytes));
        }
    }
    context
}

/// The value of an attribute, whatever its type.
fn bytes(value: &MessageAttributeValue) -> Option<&[u8]> {
    let text = value.string_value().map(str::as_bytes);
    text.or_else(|| Some(value.binary_value()?.as_ref()))
}
