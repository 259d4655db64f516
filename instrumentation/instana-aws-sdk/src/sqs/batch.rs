//! Messages that are handled together.

use aws_sdk_sqs::types::Message;
use instana::Span;

use super::message::{MessageExt, describe, start};

impl MessageExt for [Message] {
    fn entry_span_of(&self, queue_url: &str) -> Span {
        batch_entry_span_of(queue_url, self)
    }
}

/// Starts one entry for messages that are handled together, as [`MessageExt`] does for
/// slices and vectors: it has their number, and continues the first trace that one of
/// them carries. Tracing is suppressed where all of them ask for it. Of no messages, it
/// is a no-op.
///
/// ```
/// use aws_sdk_sqs::types::Message;
///
/// # struct Order;
/// # fn store(orders: &[(Order, Message)]) {}
/// fn handle(orders: &[(Order, Message)]) {
///     let messages = orders.iter().map(|(_, message)| message);
///     let mut entry = instana_aws_sdk::batch_entry_span(messages);
///     entry.enter(|| store(orders));
/// }
/// ```
#[track_caller]
pub fn batch_entry_span<'m, I>(messages: I) -> Span
where
    I: IntoIterator<Item = &'m Message>,
    I::IntoIter: Clone,
{
    batch_entry_span_of("", messages)
}

/// As [`batch_entry_span`], with the URL of the queue.
#[track_caller]
pub fn batch_entry_span_of<'m, I>(queue_url: &str, messages: I) -> Span
where
    I: IntoIterator<Item = &'m Message>,
    I::IntoIter: Clone,
{
    let messages = messages.into_iter();
    // What an empty receive gives.
    if messages.clone().next().is_none() {
        return Span::none();
    }
    let mut span = start(messages.clone());
    if span.is_recording() {
        let size = messages.count();
        span.batch_size(size);
        describe(&mut span, queue_url, |sqs| {
            sqs.size(size as i64);
        });
    }
    span
}
