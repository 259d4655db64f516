//! Trace context in the headers of records.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use instana::propagation::{MessageContext, MessageHeader};
use instana::{Ids, KafkaHeaderFormat, Span, Tracer};
use rdkafka::message::{Header, Headers, OwnedHeaders};

/// Headers that are added at most.
const MOST: usize = 5;

/// A record's headers before ours were added, so that a returned record has the user's
/// headers.
#[derive(Debug)]
pub(crate) enum Before {
    /// As they are.
    Same,
    /// There were none.
    None,
    /// The first so many.
    First(usize),
    /// These, which had another context.
    Other(OwnedHeaders),
}

impl Before {
    /// Puts the user's headers back.
    pub(crate) fn restore(self, headers: &mut Option<OwnedHeaders>) {
        match self {
            Self::Same => {}
            Self::None => *headers = None,
            Self::Other(before) => *headers = Some(before),
            Self::First(count) => {
                if let Some(now) = headers {
                    *now = copy(now.iter().take(count));
                }
            }
        }
    }
}

/// Writes the headers that continue the span's trace in the consumer, or the headers that
/// suppress it there. They replace headers of another context, which a forwarded record
/// has; all other headers keep their order. Without a trace, the headers stay as they
/// are.
pub(crate) fn inject(span: &Span, headers: &mut Option<OwnedHeaders>) -> Before {
    let context = span.context();
    let (ids, is_suppressed) = (context.ids(), context.is_suppressed());
    if ids.is_none() && !is_suppressed {
        return Before::Same;
    }
    let Some(format) = Tracer::global().in_context().kafka_headers() else {
        return Before::Same;
    };
    let (given, before) = match headers.take() {
        None => (OwnedHeaders::new_with_capacity(MOST), Before::None),
        Some(given) => match read(&given) {
            context if context.is_empty() => {
                let count = given.count();
                (given, Before::First(count))
            }
            context if context.is_unreadable() => (given.clone(), Before::Other(given)),
            _ => {
                let others = given
                    .iter()
                    .filter(|header| MessageHeader::named(header.key).is_none());
                (copy(others), Before::Other(given))
            }
        },
    };
    let mut written = given;
    if format != KafkaHeaderFormat::Binary {
        written = with_text(written, ids);
    }
    if format != KafkaHeaderFormat::String {
        written = with_bytes(written, ids);
    }
    *headers = Some(written);
    before
}

/// The trace context in the headers of a record.
pub(crate) fn read<H: Headers + ?Sized>(headers: &H) -> MessageContext<'_> {
    let read = || {
        let mut context = MessageContext::default();
        for header in (0..headers.count()).filter_map(|at| headers.try_get(at)) {
            context.add(header.key, header.value);
        }
        context
    };
    // rdkafka panics where the name of a header is not UTF-8, which any producer
    // can send.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| MessageContext::unreadable())
}

fn with_text(headers: OwnedHeaders, ids: Ids) -> OwnedHeaders {
    let Some((trace, span)) = ids.trace().zip(ids.span()) else {
        return with(headers, MessageHeader::KafkaLevel, b"0");
    };
    let (mut long, mut short) = ([0; 32], [0; 16]);
    // Both have room for what they are given.
    let _ = write!(long.as_mut_slice(), "{trace:0>32}");
    let _ = write!(short.as_mut_slice(), "{span}");
    let headers = with(headers, MessageHeader::TraceId, &long);
    let headers = with(headers, MessageHeader::SpanId, &short);
    with(headers, MessageHeader::KafkaLevel, b"1")
}

fn with_bytes(headers: OwnedHeaders, ids: Ids) -> OwnedHeaders {
    let Some((trace, span)) = ids.trace().zip(ids.span()) else {
        return with(headers, MessageHeader::Level, &[0]);
    };
    let mut both = [0; 24];
    let (trace_id, span_id) = both.split_at_mut(16);
    trace_id.copy_from_slice(&u128::from(trace.get()).to_be_bytes());
    span_id.copy_from_slice(&span.get().to_be_bytes());
    let headers = with(headers, MessageHeader::Ids, &both);
    with(headers, MessageHeader::Level, &[1])
}

fn with(headers: OwnedHeaders, header: MessageHeader, value: &[u8]) -> OwnedHeaders {
    headers.insert(Header {
        key: header.name(),
        value: Some(value),
    })
}

fn copy<'a>(headers: impl Iterator<Item = Header<'a, &'a [u8]>>) -> OwnedHeaders {
    let capacity = headers.size_hint().1.unwrap_or_default() + MOST;
    headers.fold(OwnedHeaders::new_with_capacity(capacity), |to, header| {
        to.insert(header)
    })
}

#[cfg(test)]
mod tests;
