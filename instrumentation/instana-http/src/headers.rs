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

/// Names for which a header map has room: three quarters of its 32,768 places.
const FULL: usize = 24_576;

/// Decides what the entry of a request with these headers continues.
#[inline]
pub fn extract(headers: &HeaderMap, tracer: &Tracer) -> Incoming {
    Incoming::extract(&Received::new(headers), tracer)
}

/// Writes the headers that continue the span's trace in the callee. Where there
/// is no trace, and in a map that is full (24,571 names), the headers stay as they are.
// Compiled here and not at the call, because the crate decides which functions of the //
// header map are inlined: up to 400 instructions.
#[inline(never)]
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    if let Some(mut sent) = Sent::new(headers) {
        span.inject(&mut sent);
        sent.write();
    }
}

/// Writes the headers that continue `context` in the callee, as [`inject`] does
/// for a span.
pub fn inject_context(context: &Context, headers: &mut HeaderMap) {
    if let Some(mut sent) = Sent::new(headers) {
        context.inject(&mut sent);
        sent.write();
    }
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

/// The incoming headers, found in one pass: with as many headers as requests usually
/// have, that is cheaper than looking up each by its name.
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

    /// All there are, looked up one by one.
    #[cold]
    fn repeated(&self, header: Header) -> Option<&[u8]> {
        let first = self.first(header)?;
        Repeated(self).single(header).map(|_| first)
    }
}

/// The same where one of them came more than once.
struct Repeated<'a>(&'a Received<'a>);

impl Extract for Repeated<'_> {
    fn first(&self, header: Header) -> Option<&[u8]> {
        self.0.first(header)
    }

    fn each(&self, header: Header, value: &mut dyn FnMut(&[u8])) {
        self.0.each(header, value);
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
    fn single(&self, header: Header) -> Option<&[u8]> {
        if self.repeated {
            self.repeated(header)
        } else {
            self.first(header)
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

/// The headers to send. The values are in one buffer, which the header values share.
struct Sent<'a> {
    headers: &'a mut HeaderMap,
    buffer: [u8; USUAL],
    /// Headers, and where their values end in the buffer; each begins at the end of the
    /// previous one.
    values: [(Header, usize); MOST],
    len: usize,
}

impl<'a> Sent<'a> {
    /// `None` for a map that is full.
    #[inline]
    fn new(headers: &'a mut HeaderMap) -> Option<Self> {
        (headers.keys_len() <= FULL - MOST).then_some(Self {
            headers,
            buffer: [0; USUAL],
            values: [(Header::Level, 0); MOST],
            len: 0,
        })
    }

    #[inline]
    fn used(&self) -> usize {
        let last = self.len.wrapping_sub(1);
        self.values.get(last).map_or(0, |(_, end)| *end)
    }

    #[inline]
    fn set_text(&mut self, header: Header, value: &[u8]) {
        let used = self.used();
        let end = used + value.len();
        match (
            self.buffer.get_mut(used..end),
            self.values.get_mut(self.len),
        ) {
            (Some(place), Some(entry)) => {
                place.copy_from_slice(value);
                *entry = (header, end);
                self.len += 1;
            }
            // Other vendors' `tracestate`.
            _ => insert(self.headers, header, HeaderValue::from_bytes(value)),
        }
    }

    #[inline]
    fn write(self) {
        if self.len == 0 {
            return;
        }
        let buffer = Bytes::from_owner(self.buffer);
        let mut start = 0;
        for (header, end) in self.values.into_iter().take(self.len) {
            let value = HeaderValue::from_maybe_shared(buffer.slice(start..end));
            start = end;
            insert(self.headers, header, value);
        }
    }
}

#[inline]
fn insert(headers: &mut HeaderMap, header: Header, value: Result<HeaderValue, InvalidHeaderValue>) {
    if let (Some(name), Ok(value)) = (name(header), value) {
        let _ = headers.try_insert(name, value);
    }
}

impl Inject for Sent<'_> {
    #[inline]
    fn set(&mut self, header: Header, value: &[u8]) {
        let level = match value {
            b"0" => HeaderValue::from_static("0"),
            b"1" => HeaderValue::from_static("1"),
            _ => return self.set_text(header, value),
        };
        insert(self.headers, header, Ok(level));
    }

    fn remove(&mut self, header: Header) {
        if let Some(name) = name(header) {
            self.headers.remove(name);
        }
    }
}
