//! The decision what an entry continues.

use crate::base::id;
use crate::config::Switches;
use crate::record::Fields;
use crate::record::fields::envelope;
use crate::trace::context::Tracer;
use crate::trace::context::W3cTrace;
use crate::trace::propagation::Header;
use crate::trace::propagation::level::{Correlation, Level};
use crate::trace::propagation::w3c::{Traceparent, Tracestate, Wanted};

/// Headers of a call that came in. Names are compared without case.
pub trait Extract {
    /// The first value of a header.
    fn first(&self, header: Header) -> Option<&[u8]>;

    /// Calls `value` with each value of a header, in their order.
    fn each(&self, header: Header, value: &mut dyn FnMut(&[u8]));

    /// The value of a header that stands for one thing. Where it came more than once
    /// with different values, none of them counts.
    fn single(&self, header: Header) -> Option<&[u8]> {
        let first = self.first(header)?;
        let mut are_same = true;
        self.each(header, &mut |other| {
            are_same &= header.are_same(first, other);
        });
        are_same.then_some(first)
    }
}

/// What a call brought along: which trace its entry continues, or that nothing
/// is recorded.
#[derive(Clone, Debug, Default)]
pub struct Incoming {
    /// Low half of the trace id; 0: the entry begins a trace.
    pub(crate) trace: u64,
    /// High half, for ids of more than 64 bits.
    pub(crate) trace_high: u64,
    /// The parent span; 0: the entry is a root.
    pub(crate) parent: u64,
    /// The trace id of a valid `traceparent`, whoever the parent is.
    pub(crate) w3c: Option<W3cTrace>,
    /// The parent id of a valid `traceparent`.
    w3c_parent: u64,
    bits: Bits,
    pub(crate) synthetic: bool,
    pub(crate) rare: Option<Box<Rare>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bits {
    suppressed: bool,
    /// Of the incoming `traceparent`.
    sampled: bool,
    random: bool,
    /// The parent was taken from `traceparent`.
    from_w3c: bool,
    /// `lt` is to be recorded.
    long: bool,
}

/// What few calls bring along.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rare {
    /// Foreign members, ready to be sent on.
    pub(crate) tracestate: Option<Vec<u8>>,
    ancestor: Option<((u64, u64), u64)>,
    correlation: Option<Correlation>,
}

impl Rare {
    /// Writes what the entry records.
    #[cold]
    pub(crate) fn describe(&self, mut fields: Fields<'_>) {
        if let Some(((high, low), span)) = self.ancestor {
            let mut bytes = [0; 24];
            id::put(&mut bytes, 0, high.to_ne_bytes());
            id::put(&mut bytes, 8, low.to_ne_bytes());
            id::put(&mut bytes, 16, span.to_ne_bytes());
            fields.bytes(envelope::ANCESTOR, &bytes);
        }
        if let Some(correlation) = &self.correlation {
            fields.text(envelope::CORRELATION_TYPE, &correlation.kind, u16::MAX);
            fields.text(envelope::CORRELATION_ID, &correlation.id, u16::MAX);
        }
    }
}

impl Incoming {
    /// Nothing: the entry begins a trace.
    pub fn none() -> Self {
        Self::default()
    }

    /// A parent known by its ids alone, as messages carry them: trace id of 1 to
    /// 32 and span id of 1 to 16 hexadecimal digits. Malformed ids count as none.
    pub fn from_ids(trace: &str, span: &str) -> Self {
        Self::of_pair(trace.as_bytes(), span.as_bytes()).unwrap_or_default()
    }

    /// As [`from_ids`](Self::from_ids), for what may be no text at all.
    pub(crate) fn of_pair(trace: &[u8], span: &[u8]) -> Option<Self> {
        let mut incoming = Self::none();
        incoming.continue_pair(trace, span).then_some(incoming)
    }

    /// The same for ids that came as numbers.
    pub(crate) fn of_numbers(trace: (u64, u64), span: u64) -> Option<Self> {
        let mut incoming = Self::none();
        incoming.continue_numbers(trace, span).then_some(incoming)
    }

    /// A call that asked for no tracing.
    pub fn suppressed() -> Self {
        let mut incoming = Self::none();
        incoming.bits.suppressed = true;
        incoming
    }

    /// What an entry for several messages continues: the first trace. Nothing is
    /// recorded where all of them ask for that, also where there are none.
    pub fn first_of(messages: impl IntoIterator<Item = Self>) -> Self {
        let mut are_suppressed = true;
        for incoming in messages {
            if incoming.is_suppressed() {
                continue;
            }
            if incoming.trace != 0 {
                return incoming;
            }
            are_suppressed = false;
        }
        if are_suppressed {
            Self::suppressed()
        } else {
            Self::none()
        }
    }

    /// The same call, of which nothing is to be recorded: its W3C trace goes on
    /// below, not sampled.
    pub fn into_suppressed(mut self) -> Self {
        self.bits.suppressed = true;
        self
    }

    /// Decides by the headers of a call, with the settings of `tracer`.
    #[inline]
    pub fn extract(headers: &impl Extract, tracer: &Tracer) -> Self {
        Self::decide(headers, tracer.switches().has(Switches::W3C_CORRELATION))
    }

    /// The decision table of Node.js (docs/PROTOCOL.md, "HTTP"), which passes all of
    /// the compliance cases.
    pub(crate) fn decide(headers: &impl Extract, w3c_correlation: bool) -> Self {
        let mut incoming = Self::none();
        incoming.synthetic = headers
            .single(Header::Synthetic)
            .is_some_and(|value| value.trim_ascii() == b"1");
        let level = headers
            .single(Header::Level)
            .map_or(Level::Absent, Level::parse);
        let traceparent = headers
            .single(Header::Traceparent)
            .and_then(Traceparent::parse);
        if let Some(traceparent) = &traceparent {
            incoming.remember(traceparent);
        }
        let continued = matches!(level, Level::Absent | Level::Traced) && {
            let ids = headers
                .single(Header::TraceId)
                .zip(headers.single(Header::SpanId));
            ids.is_some_and(|(trace, span)| incoming.continue_pair(trace, span))
        };
        let unsampled = traceparent.is_some_and(|traceparent| !traceparent.sampled);
        incoming.bits.suppressed = level == Level::Suppressed
            || (!continued && unsampled && level == Level::Absent && w3c_correlation);
        if let Level::Correlated(correlation) = level {
            incoming.rare().correlation = Some(correlation);
        }
        if let Some(traceparent) = &traceparent {
            incoming.join_w3c(headers, traceparent, continued, w3c_correlation);
        }
        incoming
    }

    /// Takes in what stands beside a valid `traceparent`, and continues from it
    /// unless there is a better parent.
    fn join_w3c(
        &mut self,
        headers: &impl Extract,
        traceparent: &Traceparent,
        continued: bool,
        w3c_correlation: bool,
    ) {
        let mut tracestate = Tracestate::new(match (self.bits.suppressed, continued) {
            (true, _) => Wanted::All,
            (false, true) => Wanted::Foreign,
            (false, false) => Wanted::ForeignAndOurs,
        });
        headers.each(Header::Tracestate, &mut |value| tracestate.add(value));
        if !continued && !self.bits.suppressed {
            self.continue_w3c(traceparent, tracestate.instana, w3c_correlation);
        }
        if let Some(list) = tracestate.into_list() {
            self.rare().tracestate = Some(list);
        }
    }

    pub(crate) fn is_suppressed(&self) -> bool {
        self.bits.suppressed
    }

    pub(crate) fn has_w3c_parent(&self) -> bool {
        self.bits.from_w3c
    }

    pub(crate) fn is_long(&self) -> bool {
        self.bits.long
    }

    /// The random bit of what goes out: the one that came in, or set where the
    /// W3C trace begins here.
    pub(crate) fn random(&self) -> bool {
        self.w3c.is_none() || self.bits.random
    }

    /// The parent id that a suppressed call sends on unchanged: the one of a
    /// `traceparent` that was not sampled, as in Node.js; else 0. One with the
    /// random bit is of level 2, whose validation suite wants another parent.
    pub(crate) fn unsampled_parent(&self) -> u64 {
        if self.bits.sampled || self.bits.random {
            0
        } else {
            self.w3c_parent
        }
    }

    fn remember(&mut self, traceparent: &Traceparent) {
        self.w3c = Some(traceparent.trace);
        self.w3c_parent = traceparent.parent;
        self.bits.sampled = traceparent.sampled;
        self.bits.random = traceparent.random;
    }

    /// T and S count as a pair only.
    fn continue_pair(&mut self, trace: &[u8], span: &[u8]) -> bool {
        let (Some(trace), Some(span)) = (
            id::parse_long(trace.trim_ascii()),
            id::parse(span.trim_ascii()),
        ) else {
            return false;
        };
        self.continue_numbers(trace, span)
    }

    #[inline]
    fn continue_numbers(&mut self, (high, low): (u64, u64), span: u64) -> bool {
        if low == 0 || span == 0 {
            return false;
        }
        self.continue_trace((high, low), span);
        self.bits.long = high != 0;
        true
    }

    fn continue_w3c(
        &mut self,
        traceparent: &Traceparent,
        ancestor: Option<((u64, u64), u64)>,
        w3c_correlation: bool,
    ) {
        if !w3c_correlation {
            if let Some((trace, span)) = ancestor.filter(|((_, low), _)| *low != 0) {
                self.continue_trace(trace, span);
                self.bits.long = trace.0 != 0;
            }
            return;
        }
        if traceparent.trace.low == 0 {
            // 64 zeros cannot be continued: the trace begins here.
            return;
        }
        self.continue_trace(
            (traceparent.trace.high, traceparent.trace.low),
            traceparent.parent,
        );
        self.bits.from_w3c = true;
        self.bits.long = true;
        if ancestor.is_some() {
            self.rare().ancestor = ancestor;
        }
    }

    fn continue_trace(&mut self, (high, low): (u64, u64), span: u64) {
        self.trace_high = high;
        self.trace = low;
        self.parent = span;
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}
