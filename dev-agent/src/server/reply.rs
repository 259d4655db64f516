//! HTTP responses of the protocol and of the control API.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

pub(crate) type Reply = Response<Full<Bytes>>;

/// An answer of the protocol; text that looks like JSON is sent as JSON.
pub(crate) fn text(status: u16, body: String) -> Reply {
    let kind = match body.as_bytes().first() {
        None => None,
        Some(b'{' | b'[') => Some("application/json"),
        Some(_) => Some("text/plain"),
    };
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(kind) = kind {
        reply
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    reply
}

/// As [`text`], after which the connection is closed.
pub(crate) fn last(status: u16, body: String) -> Reply {
    let mut reply = text(status, body);
    let close = HeaderValue::from_static("close");
    reply.headers_mut().insert(CONNECTION, close);
    reply
}

/// An answer of the control API, which is JSON.
pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = text(status, String::new());
    *reply.body_mut() = Full::new(body.into());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    reply
}

/// `{"error": …}` of the control API.
pub(crate) fn error(status: u16, message: impl Into<String>) -> Reply {
    let error: Value = json!({"error": message.into()});
    json(status, format!("{error}\n"))
}
