//! The text of an error: `QueueDoesNotExist: The specified queue …`.

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_runtime_api::client::interceptors::context::Error;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_types::error::ErrorMetadata;
use instana::Span;
use instana::span::Failure;

/// Sources of an error that are looked at.
const MOST_SOURCES: usize = 8;

/// Records what the service or the way to it said.
pub(crate) fn record(span: &mut Span, error: &OrchestratorError<Error>, status: Option<u16>) {
    match error.as_operation_error() {
        Some(error) => span.record_error(Failure::display(&Refusal { error, status })),
        // The service was not reached in time, or not understood.
        None => span.record_error(error),
    }
}

/// Some entries of a batch were refused.
#[cfg(any(feature = "sns", feature = "sqs"))]
pub(crate) fn record_batch(span: &mut Span, failed: usize, all: usize, code: &str, message: &str) {
    if failed == 0 {
        return;
    }
    span.record_error(Failure::display(&format_args!(
        "{failed} of {all} failed: {}",
        Coded {
            code: Some(code),
            message: Some(message).filter(|message| !message.is_empty()),
        }
    )));
    span.error_count(u16::try_from(failed).unwrap_or(u16::MAX));
}

/// The service refused a call.
struct Refusal<'a> {
    error: &'a Error,
    status: Option<u16>,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let coded = metadata(self.error).map(|metadata| Coded {
            code: metadata.code(),
            message: metadata.message(),
        });
        match (coded, self.status) {
            (Some(coded), _) if coded.code.is_some() || coded.message.is_some() => coded.fmt(f),
            // An answer to HEAD has no body to tell more.
            (Some(_), Some(status)) => write!(f, "status {status}"),
            // One that the SDK has a type for: code and message.
            _ => self.error.fmt(f),
        }
    }
}

struct Coded<'a> {
    code: Option<&'a str>,
    message: Option<&'a str>,
}

impl fmt::Display for Coded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.message) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(text), None) | (None, Some(text)) => f.write_str(text),
            (None, None) => f.write_str("failed"),
        }
    }
}

/// What the SDK keeps of an error that it has no type for.
fn metadata(error: &Error) -> Option<&ErrorMetadata> {
    let mut source = error.source();
    for _ in 0..MOST_SOURCES {
        let error = source?;
        if let Some(metadata) = error.downcast_ref() {
            return Some(metadata);
        }
        source = error.source();
    }
    None
}
