//! The interface to each service, which one file describes.

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

    /// Writes the span's context into messages that are about to be sent, and requests
    /// the context attributes of messages to be received.
    fn inject(&self, _: &mut Span, _: &mut Input) {}

    /// Whether the service may hold the answer back until it has something to return.
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

/// The operation as Node.js writes it: `putBucketPolicy`. For those that have no
/// shorter word.
#[cfg(any(feature = "dynamodb", feature = "s3", feature = "sqs"))]
pub(crate) fn camel_case(operation: &str) -> String {
    let mut characters = operation.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
