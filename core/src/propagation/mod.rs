//! Trace context in the headers of calls.
//!
//! [`Incoming::extract`] reads the headers of a call that came in and decides
//! what its entry continues; [`Span::inject`](crate::Span::inject) writes those
//! of a call that goes out.

mod incoming;
mod instana;
mod message;
mod outgoing;
mod server_timing;
#[cfg(test)]
mod tests;
mod w3c;

pub use self::incoming::{Extract, Incoming};
pub(crate) use self::instana::CORRELATION_LIMIT;
pub use self::message::{MessageContext, MessageHeader};
pub use self::outgoing::Inject;
pub(crate) use self::outgoing::inject;
pub use self::server_timing::ServerTiming;

/// A header that carries trace context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Header {
    /// `X-INSTANA-T`: the trace id, 1 to 32 hexadecimal digits; 16 are written.
    TraceId,
    /// `X-INSTANA-S`: the span id, 1 to 16 hexadecimal digits; 16 are written.
    SpanId,
    /// `X-INSTANA-L`: `1`, `0` for no tracing, or `1` with correlation data.
    Level,
    /// `X-INSTANA-SYNTHETIC`: `1` for calls of synthetic checks. Never written.
    Synthetic,
    /// `traceparent` of the W3C.
    Traceparent,
    /// `tracestate` of the W3C. May be repeated.
    Tracestate,
}

impl Header {
    /// The name in lower case, as HTTP/2 wants it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TraceId => "x-instana-t",
            Self::SpanId => "x-instana-s",
            Self::Level => "x-instana-l",
            Self::Synthetic => "x-instana-synthetic",
            Self::Traceparent => "traceparent",
            Self::Tracestate => "tracestate",
        }
    }

    /// Whether two values of this header mean the same: ids may have zeros in front,
    /// and digits in either case.
    fn are_same(self, one: &[u8], other: &[u8]) -> bool {
        let is_id = matches!(self, Self::TraceId | Self::SpanId);
        are_same(is_id, one, other)
    }
}

fn are_same(is_id: bool, one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (one.trim_ascii(), other.trim_ascii());
    if !is_id {
        return one == other;
    }
    for id in [&mut one, &mut other] {
        while let [b'0', rest @ ..] = *id {
            *id = rest;
        }
    }
    one.eq_ignore_ascii_case(other)
}
