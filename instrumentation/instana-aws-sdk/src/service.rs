//! What this crate knows of each service: one file a service, listed here.

use std::fmt::Debug;

use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use instana::Span;
use instana::span::Family;

/// A service, as its file describes it.
pub(crate) trait Service: Debug + Sync {
    /// As the SDK calls it.
    fn name(&self) -> &'static str;

    /// The family of a call; `None` for calls that are not recorded.
    fn family(&self, input: &Input) -> Option<&'static Family>;

    /// Records what names a call. Not called where nothing is recorded.
    fn describe(&self, span: &mut Span, operation: &str, region: Option<&str>, input: &Input);

    /// Writes the span's context into messages that are about to be sent, and asks
    /// for that of messages to be received.
    fn inject(&self, _: &mut Span, _: &mut Input) {}

    /// Whether the service may keep the answer back until there is something to
    /// tell.
    fn waits(&self, _: &Input) -> bool {
        false
    }

    /// Describes what was answered. False: the call came for nothing, and is not
    /// worth a span.
    fn answered(&self, _: &mut Span, _: &Output) -> bool {
        true
    }

    /// Whether an error is one of those that the caller asked for, by operation and
    /// status of the response.
    fn expects(&self, _operation: &str, _status: Option<u16>) -> bool {
        false
    }
}

/// The services that are compiled in.
static SERVICES: &[&dyn Service] = &[
    #[cfg(feature = "dynamodb")]
    &crate::dynamodb::DynamoDb,
    #[cfg(feature = "s3")]
    &crate::s3::S3,
    #[cfg(feature = "sns")]
    &crate::sns::Sns,
    #[cfg(feature = "sqs")]
    &crate::sqs::Sqs,
];

pub(crate) fn named(name: &str) -> Option<&'static dyn Service> {
    SERVICES
        .iter()
        .copied()
        .find(|service| service.name() == name)
}

/// The operation as Node.js writes it: `putBucketPolicy`. For those that have no
/// shorter word.
#[cfg(any(feature = "dynamodb", feature = "s3", feature = "sqs"))]
pub(crate) fn camel_case(operation: &str) -> String {
    let mut characters = operation.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
