//! SNS: published messages, which carry the context.

use aws_sdk_sns::operation::publish::PublishInput;
use aws_sdk_sns::operation::publish_batch::{PublishBatchInput, PublishBatchOutput};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use instana::Span;
use instana::span::{Family, Kind};

use crate::attributes::{Attribute, Carried, Parcel, message_len};
use crate::error;
use crate::service::Service;

instana::section! {
    /// `data.sns`: something published (as in Go).
    struct Data = "sns" {
        /// The ARN of the topic.
        topic: text(512),
        /// The ARN of an endpoint, or of a topic.
        target: text(512),
        /// The last two digits of the number that a text message goes to.
        phone: text(32),
        /// The subject.
        subject: text(128),
        /// What went wrong.
        error: error(200),
    }
}

static EXIT: Family = Family::new("sns", Kind::Exit, Data::SECTION, "messaging");

/// SNS, as the SDK knows it.
#[derive(Debug)]
pub(crate) struct Sns;

impl Service for Sns {
    fn name(&self) -> &'static str {
        "SNS"
    }

    /// The spans have no field for the operation, so only publishing is recorded.
    fn family(&self, input: &Input) -> Option<&'static Family> {
        let is_publish = input.downcast_ref::<PublishInput>().is_some()
            || input.downcast_ref::<PublishBatchInput>().is_some();
        is_publish.then_some(&EXIT)
    }

    fn describe(&self, span: &mut Span, _: &str, _: Option<&str>, input: &Input) {
        if let Some(input) = input.downcast_ref::<PublishInput>() {
            Data::record(span, |sns| describe(sns, input));
        } else if let Some(input) = input.downcast_ref::<PublishBatchInput>() {
            Data::record(span, |sns| {
                if let Some(topic) = input.topic_arn() {
                    sns.topic(topic);
                }
            });
            let size = input.publish_batch_request_entries().len();
            span.batch_size(size);
        }
    }

    fn inject(&self, span: &mut Span, input: &mut Input) {
        let Some(carried) = Carried::by(span) else {
            return;
        };
        if let Some(input) = input.downcast_mut::<PublishInput>() {
            // Nobody continues a trace from a text message.
            if input.phone_number.is_some() {
                return;
            }
            let body = input.message.as_deref().unwrap_or_default();
            let len = message_len(body, input.message_attributes.as_ref());
            let mut parcel = Parcel::new(&carried, len);
            parcel.add(body, &mut input.message_attributes);
            parcel.close(span);
        } else if let Some(input) = input.downcast_mut::<PublishBatchInput>() {
            let entries = input.publish_batch_request_entries.as_deref_mut();
            let entries = entries.unwrap_or_default();
            let len = |entry: &PublishBatchRequestEntry| {
                message_len(entry.message(), entry.message_attributes())
            };
            let mut parcel = Parcel::new(&carried, entries.iter().map(len).sum());
            for entry in entries {
                parcel.add(&entry.message, &mut entry.message_attributes);
            }
            parcel.close(span);
        }
    }

    fn answered(&self, span: &mut Span, output: &Output) -> bool {
        if let Some(output) = output.downcast_ref::<PublishBatchOutput>()
            && let Some(first) = output.failed().first()
        {
            let failed = output.failed().len();
            let (all, code) = (failed + output.successful().len(), first.code());
            error::record_batch(span, failed, all, code, first.message().unwrap_or_default());
        }
        true
    }
}

/// A phone number is personal.
fn last_digits(phone: &str) -> String {
    let mut digits = phone.chars().rev().filter(char::is_ascii_digit);
    let (last, before) = (digits.next(), digits.next());
    ['…'].into_iter().chain(before).chain(last).collect()
}

fn describe(sns: &mut Data<'_>, input: &PublishInput) {
    if let Some(topic) = input.topic_arn() {
        sns.topic(topic);
    }
    if let Some(target) = input.target_arn() {
        sns.target(target);
    }
    if let Some(phone) = input.phone_number() {
        sns.phone(&last_digits(phone));
    }
    if let Some(subject) = input.subject() {
        sns.subject(subject);
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
