//! The information about a response's body in its head.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};

/// What kind of body follows, as far as that says how it may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// `text/event-stream`: the client ends it.
    EventStream,
    /// `application/grpc`, `application/grpc+proto`, …: the status is in the trailers.
    Grpc,
    /// `application/grpc-web…`: the trailers are part of the body.
    GrpcWeb,
    Other,
}

/// Headers about the body, found in one pass: looking through the few names of a
/// response is cheaper than two hashes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    content_type: Option<&'a HeaderValue>,
    content_length: Option<&'a HeaderValue>,
}

impl<'a> Head<'a> {
    #[inline]
    pub(crate) fn of(headers: &'a HeaderMap) -> Self {
        let mut head = Self {
            content_type: None,
            content_length: None,
        };
        for (name, value) in headers {
            if *name == CONTENT_TYPE {
                head.content_type.get_or_insert(value);
            } else if *name == CONTENT_LENGTH {
                head.content_length.get_or_insert(value);
            }
        }
        head
    }

    #[inline]
    pub(crate) fn content(self) -> Content {
        let Some(value) = self.content_type else {
            return Content::Other;
        };
        match value.as_bytes() {
            // `application/g…`, `text/e…`
            [_, _, _, _, _, b'e' | b'E', ..]
            | [_, _, _, _, _, _, _, _, _, _, _, _, b'g' | b'G', ..] => content_of(value.as_bytes()),
            _ => Content::Other,
        }
    }

    /// The announced length; `None` if it is invalid.
    #[inline]
    pub(crate) fn length(self) -> Option<u64> {
        self.content_length?.to_str().ok()?.trim().parse().ok()
    }
}

#[cold]
fn content_of(value: &[u8]) -> Content {
    let behind = |name: &str| {
        let (start, rest) = value.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
    };
    if let Some(rest) = behind("application/grpc") {
        return match rest {
            [] | [b'+' | b';' | b' ', ..] => Content::Grpc,
            [b'-', ..] => Content::GrpcWeb,
            _ => Content::Other,
        };
    }
    match behind("text/event-stream") {
        Some([] | [b';' | b' ', ..]) => Content::EventStream,
        _ => Content::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types() {
        for (value, expected) in [
            ("text/event-stream", Content::EventStream),
            ("text/event-stream; charset=utf-8", Content::EventStream),
            ("Text/Event-Stream ;x", Content::EventStream),
            ("text/event-streams", Content::Other),
            ("text/e", Content::Other),
            ("application/grpc", Content::Grpc),
            ("application/grpc+proto", Content::Grpc),
            ("Application/GRPC;x", Content::Grpc),
            ("application/grpc-web+proto", Content::GrpcWeb),
            ("application/grpc-web-text", Content::GrpcWeb),
            ("application/grpcx", Content::Other),
            ("application/json", Content::Other),
            ("application/gzip", Content::Other),
            ("", Content::Other),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            assert_eq!(Head::of(&headers).content(), expected, "{value}");
        }
        assert_eq!(Head::of(&HeaderMap::new()).content(), Content::Other);
    }

    #[test]
    fn lengths() {
        for (value, expected) in [
            ("0", Some(0)),
            ("10", Some(10)),
            (" 10 ", Some(10)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-1", None),
            ("10, 10", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static(value));
            assert_eq!(Head::of(&headers).length(), expected, "{value}");
        }
    }
}
