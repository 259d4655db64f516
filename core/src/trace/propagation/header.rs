//! The headers that carry trace context.

use crate::trace::propagation::level::Level;

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
    /// and digits in either case; whatever suppresses is one.
    pub(super) fn are_same(self, one: &[u8], other: &[u8]) -> bool {
        if self == Self::Level && is_suppressing(one) && is_suppressing(other) {
            return true;
        }
        let is_id = matches!(self, Self::TraceId | Self::SpanId);
        are_same(is_id, one, other)
    }
}

fn is_suppressing(value: &[u8]) -> bool {
    Level::parse(value) == Level::Suppressed
}

pub(super) fn are_same(is_id: bool, one: &[u8], other: &[u8]) -> bool {
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
