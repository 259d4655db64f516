//! SQS: exits of all operations, and entries of received messages.

mod batch;
mod envelope;
mod message;

use aws_sdk_sqs::operation::add_permission::AddPermissionInput;
use aws_sdk_sqs::operation::change_message_visibility::ChangeMessageVisibilityInput;
use aws_sdk_sqs::operation::change_message_visibility_batch::{
    ChangeMessageVisibilityBatchInput, ChangeMessageVisibilityBatchOutput,
};
use aws_sdk_sqs::operation::create_queue::{CreateQueueInput, CreateQueueOutput};
use aws_sdk_sqs::operation::delete_message::DeleteMessageInput;
use aws_sdk_sqs::operation::delete_message_batch::{
    DeleteMessageBatchInput, DeleteMessageBatchOutput,
};
use aws_sdk_sqs::operation::delete_queue::DeleteQueueInput;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesInput;
use aws_sdk_sqs::operation::get_queue_url::{GetQueueUrlInput, GetQueueUrlOutput};
use aws_sdk_sqs::operation::list_dead_letter_source_queues::ListDeadLetterSourceQueuesInput;
use aws_sdk_sqs::operation::list_queue_tags::ListQueueTagsInput;
use aws_sdk_sqs::operation::list_queues::ListQueuesInput;
use aws_sdk_sqs::operation::purge_queue::PurgeQueueInput;
use aws_sdk_sqs::operation::receive_message::{ReceiveMessageInput, ReceiveMessageOutput};
use aws_sdk_sqs::operation::remove_permission::RemovePermissionInput;
use aws_sdk_sqs::operation::send_message::SendMessageInput;
use aws_sdk_sqs::operation::send_message_batch::{SendMessageBatchInput, SendMessageBatchOutput};
use aws_sdk_sqs::operation::set_queue_attributes::SetQueueAttributesInput;
use aws_sdk_sqs::operation::tag_queue::TagQueueInput;
use aws_sdk_sqs::operation::untag_queue::UntagQueueInput;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};
use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use instana::propagation::MessageHeader;
use instana::span::{Family, Kind};
use instana::{Span, Tracer};

use crate::attributes::{Attribute, Carried, Parcel, message_len};
use crate::error;
use crate::service::{Service, camel_case};

pub use self::batch::{batch_entry_span, batch_entry_span_of};
pub use self::message::MessageExt;

instana::section! {
    /// `data.sqs`: a call to SQS, or the handling of received messages.
    pub(crate) struct Data = "sqs" {
        /// `exit` or `entry`.
        sort: text(8),
        /// The URL of the queue; its name, or the beginning of names, where the
        /// call has no URL.
        queue: url(512),
        /// The operation.
        kind = "type": text(64),
        /// The group of messages in a FIFO queue.
        group: text(128),
        /// The number of messages.
        size: integer,
        /// What went wrong.
        error: error(200),
    }
}

static EXIT: Family = Family::new("sqs", Kind::Exit, Data::SECTION, "messaging");
static ENTRY: Family = Family::new("sqs", Kind::Entry, Data::SECTION, "messaging");

/// SQS, as the SDK knows it.
#[derive(Debug)]
pub(crate) struct Sqs;

impl Service for Sqs {
    fn name(&self) -> &'static str {
        "SQS"
    }

    fn family(&self, _: &Input) -> Option<&'static Family> {
        Some(&EXIT)
    }

    fn describe(&self, span: &mut Span, operation: &str, _: Option<&str>, input: &Input) {
        record(span, operation, &describe(input).unwrap_or_default());
    }

    fn inject(&self, span: &mut Span, input: &mut Input) {
        if let Some(input) = input.downcast_mut::<ReceiveMessageInput>() {
            ask_for_context(input);
        } else if let Some(carried) = Carried::by(span) {
            inject(span, &carried, input);
        }
    }

    /// Without a time of its own, a receive waits as the queue is set up.
    fn waits(&self, input: &Input) -> bool {
        input
            .downcast_ref::<ReceiveMessageInput>()
            .is_some_and(|input| input.wait_time_seconds() != Some(0))
    }

    fn answered(&self, span: &mut Span, output: &Output) -> bool {
        if let Some(output) = output.downcast_ref::<ReceiveMessageOutput>() {
            let size = output.messages().len();
            Data::record(span, |sqs| {
                sqs.size(size as i64);
            });
            return size > 0;
        }
        record_answer(span, output);
        true
    }
}

/// The recorded parts of an input.
#[derive(Default)]
struct Described<'a> {
    kind: &'static str,
    queue: Option<&'a str>,
    group: Option<&'a str>,
    size: Option<usize>,
}

fn record(span: &mut Span, operation: &str, described: &Described<'_>) {
    Data::record(span, |sqs| {
        sqs.sort("exit");
        if described.kind.is_empty() {
            sqs.kind(&camel_case(operation));
        } else {
            sqs.kind(described.kind);
        }
        if let Some(queue) = described.queue {
            sqs.queue(queue);
        }
        if let Some(group) = described.group {
            sqs.group(group);
        }
        if let Some(size) = described.size {
            sqs.size(size as i64);
        }
    });
    if let Some(size) = described.size {
        span.batch_size(size);
    }
}

/// `None` for an operation of a newer SDK, which has the name it has there.
fn describe(input: &Input) -> Option<Described<'_>> {
    describe_messages(input).or_else(|| describe_queue(input))
}

/// Types in Go's words; it has none for receives and visibility.
fn describe_messages(input: &Input) -> Option<Described<'_>> {
    if let Some(input) = input.downcast_ref::<SendMessageInput>() {
        return Some(Described {
            kind: "single.sync",
            queue: input.queue_url(),
            group: input.message_group_id(),
            ..Described::default()
        });
    }
    if let Some(input) = input.downcast_ref::<ReceiveMessageInput>() {
        return Some(Described::of("receive.sync", input.queue_url()));
    }
    if let Some(input) = input.downcast_ref::<DeleteMessageInput>() {
        return Some(Described::of("delete.single.sync", input.queue_url()));
    }
    if let Some(input) = input.downcast_ref::<SendMessageBatchInput>() {
        return Some(Described {
            group: common_group(input.entries()),
            ..Described::batch("batch.sync", input.queue_url(), input.entries().len())
        });
    }
    if let Some(input) = input.downcast_ref::<DeleteMessageBatchInput>() {
        let size = input.entries().len();
        return Some(Described::batch(
            "delete.batch.sync",
            input.queue_url(),
            size,
        ));
    }
    if let Some(input) = input.downcast_ref::<ChangeMessageVisibilityInput>() {
        return Some(Described::of("visibility.single.sync", input.queue_url()));
    }
    let input = input.downcast_ref::<ChangeMessageVisibilityBatchInput>()?;
    let size = input.entries().len();
    Some(Described::batch(
        "visibility.batch.sync",
        input.queue_url(),
        size,
    ))
}

fn describe_queue(input: &Input) -> Option<Described<'_>> {
    macro_rules! first {
        ($($type:ident $queue:ident $kind:literal;)*) => {
            $(if let Some(input) = input.downcast_ref::<$type>() {
                return Some(Described::of($kind, input.$queue()));
            })*
        };
    }
    first! {
        GetQueueUrlInput queue_name "get.queue";
        CreateQueueInput queue_name "create.queue";
        ListQueuesInput queue_name_prefix "list.queues";
        DeleteQueueInput queue_url "delete.queue";
        PurgeQueueInput queue_url "purge.queue";
        GetQueueAttributesInput queue_url "get.attributes";
        SetQueueAttributesInput queue_url "set.attributes";
        ListDeadLetterSourceQueuesInput queue_url "list.sources";
        ListQueueTagsInput queue_url "list.tags";
        TagQueueInput queue_url "add.tags";
        UntagQueueInput queue_url "remove.tags";
        AddPermissionInput queue_url "add.permission";
        RemovePermissionInput queue_url "remove.permission";
    }
    None
}

impl<'a> Described<'a> {
    fn of(kind: &'static str, queue: Option<&'a str>) -> Self {
        Self {
            kind,
            queue,
            ..Self::default()
        }
    }

    fn batch(kind: &'static str, queue: Option<&'a str>, size: usize) -> Self {
        Self {
            size: Some(size),
            ..Self::of(kind, queue)
        }
    }
}

/// The group that all messages of a batch are in.
fn common_group(entries: &[SendMessageBatchRequestEntry]) -> Option<&str> {
    let group = entries.first()?.message_group_id()?;
    let is_common = |entry: &SendMessageBatchRequestEntry| entry.message_group_id() == Some(group);
    entries.iter().all(is_common).then_some(group)
}

/// Writes the context into messages that are about to be sent.
fn inject(span: &mut Span, carried: &Carried, input: &mut Input) {
    if let Some(input) = input.downcast_mut::<SendMessageInput>() {
        let body = input.message_body.as_deref().unwrap_or_default();
        let len = message_len(body, input.message_attributes.as_ref());
        let mut parcel = Parcel::new(carried, len);
        parcel.add(body, &mut input.message_attributes);
        parcel.close(span);
    } else if let Some(input) = input.downcast_mut::<SendMessageBatchInput>() {
        let entries = input.entries.as_deref_mut().unwrap_or_default();
        let len = |entry: &SendMessageBatchRequestEntry| {
            message_len(&entry.message_body, entry.message_attributes.as_ref())
        };
        let mut parcel = Parcel::new(carried, entries.iter().map(len).sum());
        for entry in entries {
            parcel.add(&entry.message_body, &mut entry.message_attributes);
        }
        parcel.close(span);
    }
}

/// Only requested attributes come with a message. They are not needed if there is no
/// tracer.
fn ask_for_context(input: &mut ReceiveMessageInput) {
    if !Tracer::global().in_context().is_on() {
        return;
    }
    let asked = input.message_attribute_names.get_or_insert_default();
    // Both stand for all there are.
    if asked.iter().any(|asked| asked == "All" || asked == ".*") {
        return;
    }
    for header in [
        MessageHeader::TraceId,
        MessageHeader::SpanId,
        MessageHeader::Level,
    ] {
        if asked.iter().all(|asked| asked != header.name()) {
            asked.push(header.name().to_owned());
        }
    }
}

fn record_answer(span: &mut Span, output: &Output) {
    if let Some(output) = output.downcast_ref::<SendMessageBatchOutput>() {
        record_failed(span, output.successful().len(), output.failed());
    } else if let Some(output) = output.downcast_ref::<DeleteMessageBatchOutput>() {
        record_failed(span, output.successful().len(), output.failed());
    } else if let Some(output) = output.downcast_ref::<ChangeMessageVisibilityBatchOutput>() {
        record_failed(span, output.successful().len(), output.failed());
    } else if let Some(output) = output.downcast_ref::<GetQueueUrlOutput>() {
        record_url(span, output.queue_url());
    } else if let Some(output) = output.downcast_ref::<CreateQueueOutput>() {
        record_url(span, output.queue_url());
    }
}

fn record_failed(span: &mut Span, successful: usize, failed: &[BatchResultErrorEntry]) {
    if let Some(first) = failed.first() {
        let (count, message) = (failed.len(), first.message().unwrap_or_default());
        error::record_batch(span, count, count + successful, first.code(), message);
    }
}

/// The call had the name only.
fn record_url(span: &mut Span, url: Option<&str>) {
    if let Some(url) = url {
        Data::record(span, |sqs| {
            sqs.queue(url);
        });
    }
}

impl Attribute for MessageAttributeValue {
    fn text(value: &str) -> Option<Self> {
        let value = Self::builder().data_type("String").string_value(value);
        value.build().ok()
    }

    fn len(&self) -> usize {
        let text = self.string_value().map_or(0, str::len);
        let binary = self.binary_value().map_or(0, |value| value.as_ref().len());
        self.data_type().len() + text + binary
    }
}
