//! Entries of consumed records.

use std::future::Future;
use std::panic::Location;

use instana::propagation::{Incoming, MessageContext};
use instana::span::called_from;
use instana::{FutureExt, InSpan, Span, Tracer};
use rdkafka::Message;

use crate::family::{CONSUME, describe};
use crate::headers;

/// Entries for consumed records, whatever consumer or queue they are from, and borrowed or
/// owned. Calls inside the entry are its children, also a record that is forwarded.
pub trait MessageExt: Message {
    /// Starts the entry of this record: it continues the trace that the record carries, or
    /// begins one. Inside an open entry of another record it is a no-op, and counted; inside of
    /// other entries, such as a job's entry, it is recorded.
    ///
    /// [`Span::enter`] and [`FutureExt::in_span`] run code inside it.
    #[track_caller]
    fn entry_span(&self) -> Span;

    /// Runs `future`, which handles this record, inside its entry. The value that the future
    /// returns is ignored: see [`in_entry_span_with`](Self::in_entry_span_with).
    ///
    /// ```
    /// use instana_kafka::MessageExt;
    /// use rdkafka::message::BorrowedMessage;
    ///
    /// # async fn store(message: &BorrowedMessage<'_>) {}
    /// async fn handle(message: BorrowedMessage<'_>) {
    ///     message.in_entry_span(async { store(&message).await }).await;
    /// }
    /// ```
    #[track_caller]
    fn in_entry_span<F: Future>(&self, future: F) -> InSpan<F> {
        future.in_span(self.entry_span())
    }

    /// As [`in_entry_span`](Self::in_entry_span); `done` sees what the future
    /// returned before the entry ends, and can record it.
    ///
    /// ```
    /// use instana_kafka::MessageExt;
    /// use rdkafka::message::BorrowedMessage;
    ///
    /// # async fn store(message: &BorrowedMessage<'_>) -> Result<(), std::io::Error> { Ok(()) }
    /// async fn handle(message: BorrowedMessage<'_>) -> Result<(), std::io::Error> {
    ///     message
    ///         .in_entry_span_with(store(&message), |entry, result| {
    ///             if let Err(error) = result {
    ///                 entry.record_error(error);
    ///             }
    ///         })
    ///         .await
    /// }
    /// ```
    #[track_caller]
    fn in_entry_span_with<F, D>(&self, future: F, done: D) -> InSpan<F, D>
    where
        F: Future,
        D: FnOnce(&mut Span, &F::Output),
    {
        future.in_span_with(self.entry_span(), done)
    }

    /// Runs `f`, which handles this record, inside its entry: for consumers
    /// without futures. [`instana::current`] finds the entry in it.
    ///
    /// ```
    /// use instana_kafka::MessageExt;
    /// use rdkafka::message::BorrowedMessage;
    ///
    /// # fn store(message: &BorrowedMessage<'_>) {}
    /// fn handle(message: BorrowedMessage<'_>) {
    ///     message.enter_entry_span(|| store(&message));
    /// }
    /// ```
    #[track_caller]
    fn enter_entry_span<R>(&self, f: impl FnOnce() -> R) -> R {
        self.entry_span().enter(f)
    }
}

impl<M: Message> MessageExt for M {
    fn entry_span(&self) -> Span {
        start(
            || context(self).incoming(),
            |span| {
                describe(span, self.topic(), "consume");
            },
        )
    }
}

/// Starts an entry. The headers are looked at where there is a tracer.
#[track_caller]
pub(crate) fn start(incoming: impl FnOnce() -> Incoming, name: impl FnOnce(&mut Span)) -> Span {
    let mut span = called_from(Location::caller(), || {
        Tracer::global().entry_with(&CONSUME, incoming)
    });
    name(&mut span);
    span
}

/// The trace context of a record.
pub(crate) fn context<M: Message>(message: &M) -> MessageContext<'_> {
    message.headers().map(headers::read).unwrap_or_default()
}
