//! `Server-Timing`: how a browser finds the trace of a response.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use instana::Span;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Adds `intid;desc=<trace id>` to the response's `Server-Timing`, behind what
/// the application set. A value that has an `intid` stays as it is, and nothing
/// is added where there is no trace or where it is suppressed.
pub fn add_server_timing(span: &Span, headers: &mut HeaderMap) {
    let Some(own) = span.server_timing() else {
        return;
    };
    // Looking through the few names of a response is cheaper than a hash.
    if headers.keys().all(|name| name != SERVER_TIMING) {
        if let Ok(value) = HeaderValue::from_bytes(own.as_bytes()) {
            let _ = headers.try_insert(SERVER_TIMING, value);
        }
        return;
    }
    if headers.get_all(SERVER_TIMING).iter().any(has_intid) {
        return;
    }
    if let Some(first) = headers.get_mut(SERVER_TIMING) {
        let mut value = first.as_bytes().to_vec();
        if !value.is_empty() {
            value.extend_from_slice(b", ");
        }
        value.extend_from_slice(own.as_bytes());
        if let Ok(value) = HeaderValue::try_from(value) {
            *first = value;
        }
    }
}

fn has_intid(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .windows(6)
        .any(|window| window.eq_ignore_ascii_case(b"intid;"))
}
