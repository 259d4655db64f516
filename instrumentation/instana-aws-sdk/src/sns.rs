//! SNS: what is published, with context.

use aws_sdk_sns::operation::publish::PublishInput;
use aws_sdk_sns::operation::publish_batch::{PublishBatchInput, PublishBatchOutput};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use instana::Span;
use instana::span::{Family, Kind};

use crate::attributes::{Attribute, Carried, Parcel, message_len};
use crate::failure;
use crate::service::{Answer, Begun, Request, Service, expects_none};

instana::section! {
    /// `data.sns`: something published (`reference`: Go).
    struct Sns = "sns" {
        /// The ARN of the topic.
        topic: text(512),
        /// The ARN of an endpoint, or of a topic.
        target: text(512),
        /// The number that a text message goes to.
        phone: text(32),
        /// The subject.
        subject: text(128),
        /// What went wrong.
        error: error(200),
    }
}

static EXIT: Family = Family::new("sns", Kind::Exit, Sns::SECTION, "messaging");

pub(crate) static SERVICE: Service = Service {
    name: "SNS",
    begin,
    answered,
    expects: expects_none,
};

/// The spans have no word for an operation, so that nothing but publishing is one.
fn begin(request: &mut Request<'_>) -> Begun {
    let span = if let Some(input) = request.input.downcast_mut::<PublishInput>() {
        publish(input)
    } else if let Some(input) = request.input.downcast_mut::<PublishBatchInput>() {
        publish_batch(input)
    } else {
        Span::none()
    };
    Begun::from(span)
}

fn publish(input: &mut PublishInput) -> Span {
    let mut span = Span::exit(&EXIT);
    Sns::record(&mut span, |sns| {
        if let Some(topic) = input.topic_arn() {
            sns.topic(topic);
        }
        if let Some(target) = input.target_arn() {
            sns.target(target);
        }
        if let Some(phone) = input.phone_number() {
            sns.phone(phone);
        }
        if let Some(subject) = input.subject() {
            sns.subject(subject);
        }
    });
    span.decide();
    // Nobody continues a trace from a text message.
    let carried = Carried::by(&span).filter(|_| input.phone_number.is_none());
    if let Some(carried) = carried {
        let body = input.message.as_deref().unwrap_or_default();
        let len = message_len(body, input.message_attributes.as_ref());
        let mut parcel = Parcel::new(&carried, len);
        parcel.add(body, &mut input.message_attributes);
        parcel.close(&mut span);
    }
    span
}

fn publish_batch(input: &mut PublishBatchInput) -> Span {
    let mut span = Span::exit(&EXIT);
    Sns::record(&mut span, |sns| {
        if let Some(topic) = input.topic_arn() {
            sns.topic(topic);
        }
    });
    let size = input.publish_batch_request_entries().len();
    span.batch_size(u32::try_from(size).unwrap_or(u32::MAX));
    span.decide();
    if let Some(carried) = Carried::by(&span) {
        let entries = input.publish_batch_request_entries.as_deref_mut();
        let entries = entries.unwrap_or_default();
        let len = |entry: &PublishBatchRequestEntry| {
            message_len(entry.message(), entry.message_attributes())
        };
        let mut parcel = Parcel::new(&carried, entries.iter().map(len).sum());
        for entry in entries {
            parcel.add(&entry.message, &mut entry.message_attributes);
        }
        parcel.close(&mut span);
    }
    span
}

fn answered(span: &mut Span, output: &Output) -> Answer {
    if let Some(output) = output.downcast_ref::<PublishBatchOutput>()
        && let Some(first) = output.failed().first()
    {
        let failed = output.failed().len();
        let (all, code) = (failed + output.successful().len(), first.code());
        failure::record_batch(span, failed, all, code, first.message().unwrap_or_default());
    }
    Answer::Full
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
