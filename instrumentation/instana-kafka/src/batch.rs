//! Records that are handled together.

use std::future::Future;

use instana::propagation::Incoming;
use instana::{FutureExt, InSpan, Span};
use rdkafka::Message;

use crate::family::{TOPICS, describe};
use crate::message::{context, start};

/// One entry for records that are handled together: see [`batch_entry_span`].
pub trait BatchExt {
    /// Starts the entry of these records.
    #[track_caller]
    fn entry_span(&self) -> Span;

    /// Runs `future`, which handles these records, inside their entry.
    ///
    /// ```
    /// use instana_kafka::BatchExt;
    /// use rdkafka::message::OwnedMessage;
    ///
    /// # async fn store(messages: &[OwnedMessage]) {}
    /// async fn handle(messages: Vec<OwnedMessage>) {
    ///     messages.in_entry_span(store(&messages)).await;
    /// }
    /// ```
    #[track_caller]
    fn in_entry_span<F: Future>(&self, future: F) -> InSpan<F> {
        future.in_span(self.entry_span())
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

    /// Runs `f`, which handles these records, inside their entry.
    #[track_caller]
    fn enter_entry_span<R>(&self, f: impl FnOnce() -> R) -> R {
        self.entry_span().enter(f)
    }
}

impl<M: Message> BatchExt for [M] {
    fn entry_span(&self) -> Span {
        batch_entry_span(self)
    }
}

/// Starts one entry for records that are handled together. It has their number
/// and their topics, and continues the first trace that one of them carries.
/// Tracing is suppressed where all of them ask for it. Of no records, it is a
/// no-op.
///
/// ```
/// use rdkafka::error::KafkaResult;
/// use rdkafka::message::BorrowedMessage;
///
/// # fn store(messages: &[KafkaResult<BorrowedMessage<'_>>]) {}
/// // As `ready_chunks` of a stream gives them.
/// fn handle(messages: Vec<KafkaResult<BorrowedMessage<'_>>>) {
///     let mut entry = instana_kafka::batch_entry_span(messages.iter().flatten());
///     entry.enter(|| store(&messages));
/// }
/// ```
#[track_caller]
pub fn batch_entry_span<'m, M, I>(messages: I) -> Span
where
    M: Message + 'm,
    I: IntoIterator<Item = &'m M>,
    I::IntoIter: Clone,
{
    let messages = messages.into_iter();
    if messages.clone().next().is_none() {
        return Span::none();
    }
    start(
        || incoming(messages.clone()),
        |span| {
            if span.is_recording() {
                span.batch_size(messages.clone().count());
                describe(span, &topics(messages.clone()), "consume");
            }
        },
    )
}

/// The first trace. Contexts that cannot be read are counted on the way.
fn incoming<'m, M: Message + 'm>(messages: impl Iterator<Item = &'m M>) -> Incoming {
    Incoming::first_of(messages.map(|message| context(message).incoming()))
}

/// Each topic once, in their order, as many as there is room for.
fn topics<'m, M: Message + 'm>(messages: impl Iterator<Item = &'m M>) -> String {
    let mut topics = String::new();
    for topic in messages.map(Message::topic) {
        if topics.split(',').any(|known| known == topic) {
            continue;
        }
        if !topics.is_empty() {
            topics.push(',');
        }
        topics.push_str(topic);
        if topics.len() > usize::from(TOPICS) {
            break;
        }
    }
    topics
}
