//! Entries of received messages.

use std::future::Future;
use std::panic::Location;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use instana::propagation::{Incoming, MessageContext};
use instana::span::called_from;
use instana::{FutureExt, InSpan, Span, Tracer};
use serde_json::Value;

use super::envelope;
use super::{Data, ENTRY};

/// Handles a received message inside an entry that continues the sender's trace:
/// a [`Message`], or several at once. What runs inside the entry is a child of it:
/// also a message that is sent on.
///
/// The context is in the message's attributes, or, for a notification of SNS
/// without raw delivery, in its body. Ids that cannot be read count as none: the
/// entry begins a trace. Several messages are one entry, with their number; it
/// continues the first trace that one of them carries, and is suppressed where all
/// of them ask for that. Of no messages, it is a no-op. [`batch_entry_span`] is for
/// iterators.
///
/// [`batch_entry_span`]: crate::batch_entry_span
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
    /// Starts the entry for handling this message. It continues the trace that the
    /// message carries, or begins one. Inside an open entry of another message it is a
    /// no-op, and counted; inside of other entries, such as a job's entry, it is
    /// recorded. A message does not know its queue: see
    /// [`entry_span_of`](Self::entry_span_of).
    ///
    /// [`Span::enter`] and [`FutureExt::in_span`] run code inside it.
    #[track_caller]
    fn entry_span(&self) -> Span {
        self.entry_span_of("")
    }

    /// As [`entry_span`](Self::entry_span), with the URL of the queue.
    #[track_caller]
    fn entry_span_of(&self, queue_url: &str) -> Span;

    /// Runs `future` inside the entry, which ends with it. The value that the future
    /// returns is ignored: see [`in_entry_span_with`](Self::in_entry_span_with). A panic
    /// is recorded and continues.
    #[track_caller]
    fn in_entry_span<F: Future>(&self, future: F) -> InSpan<F> {
        future.in_span(self.entry_span())
    }

    /// As [`in_entry_span`](Self::in_entry_span), with the URL of the queue.
    #[track_caller]
    fn in_entry_span_of<F: Future>(&self, queue_url: &str, future: F) -> InSpan<F> {
        future.in_span(self.entry_span_of(queue_url))
    }

    /// As [`in_entry_span`](Self::in_entry_span); `done` sees what the future
    /// returned before the entry ends, and can record it.
    #[track_caller]
    fn in_entry_span_with<F, D>(&self, future: F, done: D) -> InSpan<F, D>
    where
        F: Future,
        D: FnOnce(&mut Span, &F::Output),
    {
        future.in_span_with(self.entry_span(), done)
    }

    /// As [`in_entry_span_with`](Self::in_entry_span_with), with the URL of the queue.
    ///
    /// ```
    /// use aws_sdk_sqs::types::Message;
    /// use instana_aws_sdk::MessageExt;
    ///
    /// # async fn store(_: &Message) -> Result<(), std::io::Error> { Ok(()) }
    /// async fn handle(url: &str, message: Message) -> Result<(), std::io::Error> {
    ///     message
    ///         .in_entry_span_of_with(url, store(&message), |entry, result| {
    ///             if let Err(error) = result {
    ///                 entry.record_error(error);
    ///             }
    ///         })
    ///         .await
    /// }
    /// ```
    #[track_caller]
    fn in_entry_span_of_with<F, D>(&self, queue_url: &str, future: F, done: D) -> InSpan<F, D>
    where
        F: Future,
        D: FnOnce(&mut Span, &F::Output),
    {
        future.in_span_with(self.entry_span_of(queue_url), done)
    }

    /// Runs `f` inside the entry: for handlers that are not async.
    /// [`instana::current`] finds the entry in it.
    #[track_caller]
    fn enter_entry_span<R>(&self, f: impl FnOnce() -> R) -> R {
        self.entry_span().enter(f)
    }

    /// As [`enter_entry_span`](Self::enter_entry_span), with the URL of the queue.
    #[track_caller]
    fn enter_entry_span_of<R>(&self, queue_url: &str, f: impl FnOnce() -> R) -> R {
        self.entry_span_of(queue_url).enter(f)
    }
}

impl MessageExt for Message {
    fn entry_span_of(&self, queue_url: &str) -> Span {
        let mut span = start([self]);
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

pub(super) fn describe(span: &mut Span, queue_url: &str, more: impl FnOnce(&mut Data<'_>)) {
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
#[track_caller]
pub(super) fn start<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Span {
    called_from(Location::caller(), || {
        Tracer::global().entry_with(&ENTRY, || incoming(messages))
    })
}

/// The first trace. Contexts that cannot be understood are counted on the way.
fn incoming<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Incoming {
    Incoming::first_of(messages.into_iter().map(|message| {
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
