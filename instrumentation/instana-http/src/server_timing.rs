//! `Server-Timing`: how a browser finds the trace of a response.

use http::header::{Entry, HeaderMap, HeaderName, HeaderValue};
use instana::Span;

static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Adds `intid;desc=<trace id>` to the response's `Server-Timing`, behind what
/// the application set. A value that has an `intid` stays as it is, and nothing
/// is added where there is no trace or where it is suppressed.
pub fn add_server_timing(span: &Span, headers: &mut HeaderMap) {
    let Some(own) = span.server_timing() else {
        return;
    };
    match headers.try_entry(&SERVER_TIMING) {
        Ok(Entry::Vacant(entry)) => {
            if let Ok(value) = HeaderValue::from_bytes(own.as_bytes()) {
                let _ = entry.try_insert(value);
            }
        }
        Ok(Entry::Occupied(mut entry)) => {
            if entry.iter().any(has_intid) {
                return;
            }
            let mut value = entry.get().as_bytes().to_vec();
            if !value.is_empty() {
                value.extend_from_slice(b", ");
            }
            value.extend_from_slice(own.as_bytes());
            if let Ok(value) = HeaderValue::try_from(value) {
                *entry.get_mut() = value;
            }
        }
        Err(_) => {}
    }
}

fn has_intid(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .windows(6)
        .any(|window| window.eq_ignore_ascii_case(b"intid;"))
}
