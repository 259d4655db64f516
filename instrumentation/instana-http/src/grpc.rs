//! The status of a gRPC call, from headers or trailers.

use std::fmt;

use http::HeaderMap;
use instana::Span;
use instana::span::Failure;

use crate::record::is_http;

/// Names of the codes from 0 on.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The name of a code without a name.
const UNKNOWN: &str = "UNKNOWN";

/// Bytes of a message that are looked at: more than a span keeps, so that what is cut
/// is counted.
const ENOUGH: usize = 4_096;

/// Records the status that these headers or trailers have. As in Instana's Go and Python
/// tracers, every status except OK is an error, on both sides. Returns false without a
/// status.
#[cold]
pub(crate) fn record(span: &mut Span, headers: &HeaderMap) -> bool {
    let Some(status) = Status::of(headers) else {
        return false;
    };
    if status.name != "OK" && is_http(span) {
        span.record_error(Failure::display(&status));
    }
    true
}

/// Records that a call ended without a status, which its caller takes for an error.
#[cold]
pub(crate) fn record_missing(span: &mut Span) {
    if is_http(span) {
        span.record_error(Failure::display(&format_args!("{UNKNOWN}: no grpc-status")));
    }
}

struct Status<'a> {
    name: &'static str,
    message: &'a [u8],
}

impl<'a> Status<'a> {
    fn of(headers: &'a HeaderMap) -> Option<Self> {
        let code = headers.get("grpc-status")?.to_str().ok();
        let code = code.and_then(|code| code.trim().parse::<usize>().ok());
        let message = headers.get("grpc-message").map(|value| value.as_bytes());
        Some(Self {
            name: code.and_then(|code| NAMES.get(code)).unwrap_or(&UNKNOWN),
            message: message.unwrap_or_default(),
        })
    }
}

/// `NOT_FOUND: no such order`
impl fmt::Display for Status<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.message.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", String::from_utf8_lossy(&decoded(self.message)))
    }
}

/// Decodes percent-encoding; other text stays unchanged.
fn decoded(message: &[u8]) -> Vec<u8> {
    let message = message.get(..ENOUGH).unwrap_or(message);
    let mut out = Vec::with_capacity(message.len());
    let mut rest = message;
    while let Some((byte, behind)) = rest.split_first() {
        let encoded = match (byte, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match encoded {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*byte);
                rest = behind;
            }
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn statuses_in_words() {
        for (code, message, expected) in [
            ("5", "no such order", "NOT_FOUND: no such order"),
            ("5", "", "NOT_FOUND"),
            ("0", "", "OK"),
            ("00", "", "OK"),
            (" 13 ", "a", "INTERNAL: a"),
            ("16", "", "UNAUTHENTICATED"),
            ("17", "", "UNKNOWN"),
            ("9999", "a", "UNKNOWN: a"),
            ("99999999999999999999999", "", "UNKNOWN"),
            ("-1", "", "UNKNOWN"),
            ("abc", "", "UNKNOWN"),
            ("", "", "UNKNOWN"),
            ("5", "f%C3%BCr%20alle", "NOT_FOUND: für alle"),
            ("5", "100%", "NOT_FOUND: 100%"),
            ("5", "100%2", "NOT_FOUND: 100%2"),
            ("5", "%zz%2x", "NOT_FOUND: %zz%2x"),
            ("5", "%FF", "NOT_FOUND: \u{fffd}"),
            ("5", "a%0Ab", "NOT_FOUND: a\nb"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", HeaderValue::from_static(code));
            headers.insert("grpc-message", HeaderValue::from_static(message));
            let status = Status::of(&headers).unwrap();
            assert_eq!(status.to_string(), expected, "{code} {message}");
        }
        assert!(Status::of(&HeaderMap::new()).is_none());
    }

    #[test]
    fn bytes_of_any_kind_and_number_are_shown() {
        let mut headers = HeaderMap::new();
        let bytes = HeaderValue::from_bytes(&[0xff, b'a']).unwrap();
        headers.insert("grpc-status", bytes.clone());
        headers.insert("grpc-message", bytes);
        let shown = Status::of(&headers).unwrap().to_string();
        assert_eq!(shown, "UNKNOWN: \u{fffd}a");
        let long = HeaderValue::from_str(&"%41".repeat(100_000)).unwrap();
        headers.insert("grpc-message", long);
        assert!(Status::of(&headers).unwrap().to_string().len() < ENOUGH);
    }
}
