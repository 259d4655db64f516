//! What this crate knows of each service: one file a service, listed here.

use aws_smithy_runtime_api::client::interceptors::context::{Input, Output};
use instana::Span;

/// A service, as its file describes it.
#[derive(Debug)]
pub(crate) struct Service {
    /// As the SDK calls it.
    pub(crate) name: &'static str,
    /// Starts the exit of a call, describes and decides it, and writes its context
    /// into what is sent.
    pub(crate) begin: fn(&mut Request<'_>) -> Begun,
    /// Describes what was answered.
    pub(crate) answered: fn(&mut Span, &Output) -> Answer,
    /// Whether an error is one that the caller asked for: an operation, and the
    /// status of the response.
    pub(crate) expects: fn(&str, Option<u16>) -> bool,
}

/// A call that is about to be made.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) operation: &'a str,
    pub(crate) region: Option<&'a str>,
    pub(crate) input: &'a mut Input,
}

/// An exit that was started.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) span: Span,
    /// The service may keep the answer back until there is something to tell.
    pub(crate) waits: bool,
}

impl From<Span> for Begun {
    fn from(span: Span) -> Self {
        Self { span, waits: false }
    }
}

/// Whether there was something in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The call came for nothing, and is not worth a span.
    Empty,
    Full,
}

/// The services that are compiled in.
static SERVICES: &[&Service] = &[
    #[cfg(feature = "dynamodb")]
    &crate::dynamodb::SERVICE,
    #[cfg(feature = "s3")]
    &crate::s3::SERVICE,
    #[cfg(feature = "sns")]
    &crate::sns::SERVICE,
    #[cfg(feature = "sqs")]
    &crate::sqs::SERVICE,
];

pub(crate) fn named(name: &str) -> Option<&'static Service> {
    SERVICES
        .iter()
        .copied()
        .find(|service| service.name == name)
}

/// For services whose answers say nothing that is recorded.
#[cfg(feature = "s3")]
pub(crate) fn says_nothing(_: &mut Span, _: &Output) -> Answer {
    Answer::Full
}

/// For services all of whose errors are errors.
#[cfg(any(feature = "dynamodb", feature = "sns", feature = "sqs"))]
pub(crate) fn expects_none(_: &str, _: Option<u16>) -> bool {
    false
}

/// The operation as Node.js writes it: `putBucketPolicy`. For those that have no
/// shorter word.
#[cfg(any(feature = "dynamodb", feature = "s3", feature = "sqs"))]
pub(crate) fn camel_case(operation: &str) -> String {
    let mut characters = operation.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
