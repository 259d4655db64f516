//! The text of an error: `QueueDoesNotExist: The specified queue …`.

use std::error::Error as StdError;
use std::fmt;

use aws_smithy_runtime_api::client::interceptors::context::Error;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_types::error::ErrorMetadata;
use instana::Span;
use instana::span::{Failure, without_values};

/// Sources of an error that are looked at.
const MOST_SOURCES: usize = 8;

/// No phone number has fewer digits behind its `+`.
const FEWEST_DIGITS: usize = 4;

/// Records the error of the service, or why the service was not reached.
pub(crate) fn record(span: &mut Span, error: &OrchestratorError<Error>, status: Option<u16>) {
    match error.as_operation_error() {
        Some(error) => span.record_error(Failure::display(&Refusal { error, status })),
        None => match status.filter(|status| *status >= 300) {
            // An answer that is not the service's: a gateway's page, or an unreadable
            // answer.
            Some(status) => span.record_error(&Unreadable { error, status }),
            // The service was not reached in time.
            None => span.record_error(error),
        },
    }
}

/// An answer that the SDK does not understand.
#[derive(Debug)]
struct Unreadable<'a> {
    error: &'a OrchestratorError<Error>,
    status: u16,
}

impl fmt::Display for Unreadable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}: {}", self.status, self.error)
    }
}

impl StdError for Unreadable<'_> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
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
        let coded = coded.filter(|coded| coded.code.is_some() || coded.message.is_some());
        match (coded, self.status) {
            (Some(coded), status) => {
                // A message without a code comes from a page or a gateway.
                if let Some(status) = status.filter(|_| coded.code.is_none()) {
                    write!(f, "status {status}: ")?;
                }
                WithoutPhones(&coded).fmt(f)
            }
            // An answer to HEAD has no body; the body of a page is not read.
            (None, Some(status)) if is_unhandled(self.error) => write!(f, "status {status}"),
            // One that the SDK has a type for: code and message.
            (None, _) => WithoutPhones(&shown(&self.error.to_string())).fmt(f),
        }
    }
}

/// Whether the SDK has no type for the error. Its own types say so in no other way.
fn is_unhandled(error: &Error) -> bool {
    error.to_string().starts_with("unhandled error")
}

/// A text with the last two digits of the phone numbers in it.
struct WithoutPhones<'a>(&'a dyn fmt::Display);

impl fmt::Display for WithoutPhones<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let mut rest = text.as_str();
        while let Some((before, behind)) = rest.split_once('+') {
            let is_digit = |byte: &u8| byte.is_ascii_digit();
            let digits = behind.bytes().take_while(|byte| is_digit(byte)).count();
            f.write_str(before)?;
            rest = match behind.get(digits.saturating_sub(2)..) {
                Some(last) if digits > FEWEST_DIGITS => {
                    f.write_str("…")?;
                    last
                }
                _ => {
                    f.write_str("+")?;
                    behind
                }
            };
        }
        f.write_str(rest)
    }
}

struct Coded<'a> {
    code: Option<&'a str>,
    message: Option<&'a str>,
}

impl fmt::Display for Coded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.message) {
            (Some(code), Some(message)) => write!(f, "{code}: {}", shown(message)),
            (Some(code), None) => f.write_str(code),
            (None, Some(message)) => f.write_str(&shown(message)),
            (None, None) => f.write_str("failed"),
        }
    }
}

/// A message without the values of the call that the service quotes.
fn shown(message: &str) -> String {
    let text = without_values(message, |_, _| false);
    // As SQS writes it: without quotes.
    let value = text.split_once("Value ").and_then(|(before, rest)| {
        let (_, behind) = rest.split_once(" for parameter ")?;
        Some([before, "Value … for parameter ", behind].concat())
    });
    value.unwrap_or(text)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_keep_two_digits() {
        for (text, expected) in [
            (
                "Invalid parameter: PhoneNumber Reason: +4917012345 is not valid",
                "Invalid parameter: PhoneNumber Reason: …45 is not valid",
            ),
            ("+4917012345,+4917012346", "…45,…46"),
            ("+12345", "…45"),
            ("1+1 and a+b+", "1+1 and a+b+"),
            (
                "arn:aws:sns:eu-west-1:123456789012:a",
                "arn:aws:sns:eu-west-1:123456789012:a",
            ),
            ("+", "+"),
            ("", ""),
        ] {
            assert_eq!(WithoutPhones(&text).to_string(), expected);
        }
    }

    #[test]
    fn values_of_the_call_are_left_out() {
        for (message, expected) in [
            (
                "The AWS Access Key Id you provided does not exist in our records.",
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            (
                "Invalid KeyConditionExpression: Syntax error; token: \"hunter2\", near: \"= hunter2 AND\"",
                "Invalid KeyConditionExpression: Syntax error; token: …",
            ),
            (
                "Value '{\"a\":\"hunter2\"}' at 'x' failed to satisfy constraint",
                "Value … failed to satisfy constraint",
            ),
            (
                "Value hunter2 for parameter QueueName is invalid.",
                "Value … for parameter QueueName is invalid.",
            ),
            (
                "The parameter 424242 is not known",
                "The parameter 424242 is not known",
            ),
            ("The provided pin was 424242", "The provided pin was …"),
            ("The region 'us-east-1' is wrong", "The region … is wrong"),
        ] {
            let code = Some("X");
            let message = Some(message);
            let coded = Coded { code, message };
            assert_eq!(coded.to_string(), format!("X: {expected}"));
        }
    }
}
