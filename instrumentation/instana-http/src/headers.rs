//! Trace context in the headers of HTTP.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use instana::propagation::{Extract, Header, Incoming, Inject};
use instana::{Context, Span, Tracer};

const TRACE_ID: HeaderName = HeaderName::from_static(Header::TraceId.name());
const SPAN_ID: HeaderName = HeaderName::from_static(Header::SpanId.name());
const LEVEL: HeaderName = HeaderName::from_static(Header::Level.name());
const SYNTHETIC: HeaderName = HeaderName::from_static(Header::Synthetic.name());
const TRACEPARENT: HeaderName = HeaderName::from_static(Header::Traceparent.name());
const TRACESTATE: HeaderName = HeaderName::from_static(Header::Tracestate.name());

/// Bytes of all values that most calls carry: two ids, `traceparent` and our
/// member of `tracestate`.
const USUAL: usize = 16 + 16 + 55 + 36;

/// Headers that one call may set.
const MOST: usize = 5;

/// Decides what the entry of a request with these headers continues.
#[inline]
pub fn extract(headers: &HeaderMap, tracer: &Tracer) -> Incoming {
    Incoming::extract(&Received::new(headers), tracer)
}

/// Writes the headers that continue the span's trace in the callee. Where there
/// is no trace, the headers stay as they are.
#[inline]
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    let mut sent = Sent::new(headers);
    span.inject(&mut sent);
    sent.write();
}

/// Writes the headers that continue `context` in the callee, as [`inject`] does
/// for a span.
pub fn inject_context(context: &Context, headers: &mut HeaderMap) {
    let mut sent = Sent::new(headers);
    context.inject(&mut sent);
    sent.write();
}

#[inline]
fn name(header: Header) -> Option<HeaderName> {
    Some(match header {
        Header::TraceId => TRACE_ID,
        Header::SpanId => SPAN_ID,
        Header::Level => LEVEL,
        Header::Synthetic => SYNTHETIC,
        Header::Traceparent => TRACEPARENT,
        Header::Tracestate => TRACESTATE,
        _ => return None,
    })
}

/// What came in, found in one pass: with as many headers as requests usually
/// have, that is cheaper than to look up each by its name.
struct Received<'a> {
    headers: &'a HeaderMap,
    first: [Option<&'a [u8]>; 6],
    /// One of them came more than once.
    repeated: bool,
}

impl<'a> Received<'a> {
    #[inline]
    fn new(headers: &'a HeaderMap) -> Self {
        let mut first = [None; 6];
        let mut repeated = false;
        for (name, value) in headers {
            let [trace, span, level, synthetic, traceparent, tracestate] = &mut first;
            let place = match name.as_str().as_bytes() {
                b"x-instana-t" => trace,
                b"x-instana-s" => span,
                b"x-instana-l" => level,
                b"x-instana-synthetic" => synthetic,
                b"traceparent" => traceparent,
                b"tracestate" => tracestate,
                _ => continue,
            };
            repeated |= place.is_some();
            place.get_or_insert(value.as_bytes());
        }
        Self {
            headers,
            first,
            repeated,
        }
    }
}

impl Extract for Received<'_> {
    #[inline]
    fn first(&self, header: Header) -> Option<&[u8]> {
        let [trace, span, level, synthetic, traceparent, tracestate] = self.first;
        match header {
            Header::TraceId => trace,
            Header::SpanId => span,
            Header::Level => level,
            Header::Synthetic => synthetic,
            Header::Traceparent => traceparent,
            Header::Tracestate => tracestate,
            _ => None,
        }
    }

    #[inline]
    fn each(&self, header: Header, value: &mut dyn FnMut(&[u8])) {
        let Some(first) = self.first(header) else {
            return;
        };
        if !self.repeated {
            return value(first);
        }
        if let Some(name) = name(header) {
            self.headers
                .get_all(name)
                .iter()
                .for_each(|each| value(each.as_bytes()));
        }
    }
}

/// What is to be sent. The values stand in one buffer, which the header values
/// share.
struct Sent<'a> {
    headers: &'a mut HeaderMap,
    buffer: [u8; USUAL],
    used: usize,
    changes: [Option<Change>; MOST],
    len: usize,
}

#[derive(Clone, Copy)]
enum Change {
    Remove(Header),
    /// A value of one digit: the level.
    SetDigit(Header, u8),
    /// A value that stands in the buffer up to here, from where the one before ends.
    Set(Header, usize),
}

impl<'a> Sent<'a> {
    #[inline]
    fn new(headers: &'a mut HeaderMap) -> Self {
        Self {
            headers,
            buffer: [0; USUAL],
            used: 0,
            changes: [None; MOST],
            len: 0,
        }
    }

    #[inline]
    fn push(&mut self, change: Change) {
        if let Some(place) = self.changes.get_mut(self.len) {
            *place = Some(change);
            self.len += 1;
        }
    }

    #[inline]
    fn write(self) {
        if self.len == 0 || self.headers.try_reserve(self.len).is_err() {
            return;
        }
        let buffer = Bytes::from_owner(self.buffer);
        let mut start = 0;
        for change in self.changes.into_iter().flatten() {
            match change {
                Change::Remove(header) => {
                    if let Some(name) = name(header) {
                        self.headers.remove(name);
                    }
                }
                Change::SetDigit(header, b'0') => {
                    insert(self.headers, header, Ok(HeaderValue::from_static("0")));
                }
                Change::SetDigit(header, _) => {
                    insert(self.headers, header, Ok(HeaderValue::from_static("1")));
                }
                Change::Set(header, end) => {
                    let value = HeaderValue::from_maybe_shared(buffer.slice(start..end));
                    start = end;
                    insert(self.headers, header, value);
                }
            }
        }
    }
}

/// A map that is full already (32,768 headers) stays as it is.
#[inline]
fn insert(headers: &mut HeaderMap, header: Header, value: Result<HeaderValue, InvalidHeaderValue>) {
    if let (Some(name), Ok(value)) = (name(header), value) {
        let _ = headers.try_insert(name, value);
    }
}

impl Inject for Sent<'_> {
    #[inline]
    fn set(&mut self, header: Header, value: &[u8]) {
        if let [digit @ (b'0' | b'1')] = value {
            return self.push(Change::SetDigit(header, *digit));
        }
        let end = self.used + value.len();
        match self.buffer.get_mut(self.used..end) {
            Some(place) => {
                place.copy_from_slice(value);
                self.used = end;
                self.push(Change::Set(header, end));
            }
            // Other vendors' `tracestate`.
            None => insert(self.headers, header, HeaderValue::from_bytes(value)),
        }
    }

    fn remove(&mut self, header: Header) {
        self.push(Change::Remove(header));
    }
}
