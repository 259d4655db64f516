//! Attributes of HTTP spans.

use http::uri::Uri;
use http::{HeaderMap, Method, StatusCode, header};
use instana::Span;
use instana::span::Kind;
use instana::span::http::Http;

use crate::capture::capture;
use crate::grpc;
use crate::head::{Content, Head};
use crate::server::RequestHead;

/// Records the request of an entry: method, host, `path` (a router may have shortened the
/// request's own path), query and captured headers.
#[inline]
pub fn record_request(span: &mut Span, request: RequestHead<'_>, path: &str) {
    let tracer = span.tracer();
    Http::record(span, |http| {
        http.method(request.method.as_str());
        if let Some(host) = host(request.uri, request.headers) {
            http.host(host);
        }
        // CONNECT has no path.
        if !path.is_empty() {
            http.path(path);
        }
        if let Some(query) = request.uri.query() {
            http.params(query);
        }
        capture(http, &tracer, request.headers);
    });
}

/// Records the request of an exit: method, URL, query and captured headers. Core removes
/// query, fragment and user info from the URL.
#[inline]
pub fn record_exit(
    span: &mut Span,
    method: &Method,
    url: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) {
    let tracer = span.tracer();
    Http::record(span, |http| {
        http.method(method.as_str()).url(url);
        if let Some(query) = query {
            http.params(query);
        }
        capture(http, &tracer, headers);
    });
}

/// Records status and captured headers of a response, on entries and on exits. A status
/// from 500 on is an error; a lower one only on exits and if the settings say so. So is a
/// `grpc-status` other than 0 if the content is gRPC. A span that is no longer an HTTP
/// span has errors of its own: GraphQL answers with 200 and errors, or with 500 and none.
/// Instana's Go and Node.js tracers do the same.
#[inline]
pub fn record_response(span: &mut Span, status: StatusCode, headers: &HeaderMap) {
    if span.is_recording() {
        record_head(span, status, headers, Head::of(headers).content());
    }
}

/// As [`record_response`]. True where gRPC's status is still to come.
#[inline]
pub(crate) fn record_head(
    span: &mut Span,
    status: StatusCode,
    headers: &HeaderMap,
    content: Content,
) -> bool {
    let tracer = span.tracer();
    Http::record(span, |http| {
        http.status(status.as_u16().into());
        capture(http, &tracer, headers);
    });
    let is_open = match content {
        Content::Grpc => !grpc::record(span, headers),
        Content::GrpcWeb => {
            grpc::record(span, headers);
            false
        }
        Content::EventStream | Content::Other => false,
    };
    let code = status.as_u16();
    let is_error = code >= 400
        && (code >= 500 || tracer.is_client_error(code) && span.kind() == Some(Kind::Exit));
    if is_error && is_http(span) {
        span.mark_erroneous();
    }
    is_open
}

/// False for an entry that a GraphQL operation has taken over, and where nothing is
/// recorded.
#[cold]
pub(crate) fn is_http(span: &Span) -> bool {
    let family = span.family();
    family.is_some_and(|family| std::ptr::eq(family.section(), Http::SECTION))
}

/// The `Host` header, or what HTTP/2 has in its place, with its port.
pub(crate) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = match header.filter(|host| !host.is_empty()) {
        Some(host) => host,
        None => uri.authority()?.as_str(),
    };
    // A browser sends no user info; others may.
    let has_user = host.bytes().fold(false, |has, byte| has | (byte == b'@'));
    Some(if has_user {
        host.rsplit_once('@').map_or(host, |(_, host)| host)
    } else {
        host
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_user_info() {
        for (uri, header, expected) in [
            ("/", Some("shop:8080"), Some("shop:8080")),
            ("/", Some("user:word@shop"), Some("shop")),
            ("http://user:word@shop/", None, Some("shop")),
            ("http://user:word@shop/", Some("other"), Some("other")),
            ("http://shop/", Some(""), Some("shop")),
            ("http://shop/", Some("sh\u{f6}p"), Some("shop")),
            ("/", Some(""), None),
            ("shop:443", None, Some("shop:443")),
            ("/", None, None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                let value = header::HeaderValue::from_bytes(header.as_bytes());
                headers.insert(header::HOST, value.unwrap());
            }
            let uri = Uri::from_static(uri);
            assert_eq!(host(&uri, &headers), expected, "{uri} {header:?}");
        }
    }
}
