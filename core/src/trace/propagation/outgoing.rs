//! What a call that goes out carries.

use crate::base::id;
use crate::config::Switches;
use crate::record::flags::Flags;
use crate::trace::context::Context;
use crate::trace::context::Tracer;
use crate::trace::context::local;
use crate::trace::propagation::{Header, w3c};

/// Headers of a call that goes out.
pub trait Inject {
    /// Replaces all values of a header by this one.
    fn set(&mut self, header: Header, value: &[u8]);

    /// Removes a header that the application may have copied from elsewhere.
    fn remove(&mut self, header: Header);
}

impl Context {
    /// Writes the headers that continue this context in the callee, as
    /// [`Span::inject`](crate::Span::inject) does. Where there is no trace,
    /// nothing is written and nothing removed.
    pub fn inject(&self, carrier: &mut impl Inject) {
        inject(self, carrier);
    }
}

#[inline]
pub(crate) fn inject(context: &Context, carrier: &mut impl Inject) {
    if context.flags.has(Flags::ACTIVE) {
        inject_traced(context, carrier);
    } else if context.flags.has(Flags::SUPPRESSED) {
        inject_suppressed(context, carrier);
    }
}

fn inject_traced(context: &Context, carrier: &mut impl Inject) {
    let trace = id::hex(context.trace);
    let span = id::hex(context.span);
    carrier.set(Header::TraceId, &trace);
    carrier.set(Header::SpanId, &span);
    carrier.set(Header::Level, b"1");
    if !propagates_w3c(context) {
        return;
    }
    let random = context.flags.has(Flags::RANDOM);
    carrier.set(
        Header::Traceparent,
        &w3c::traceparent(context.w3c, context.span, true, random),
    );
    // `in=`, both ids and the semicolon between them.
    let mut own = *b"in=0000000000000000;0000000000000000";
    id::put(&mut own, 3, trace);
    id::put(&mut own, 20, span);
    match context.tracestate() {
        None => carrier.set(Header::Tracestate, &own),
        Some(foreign) => {
            let mut value = Vec::with_capacity(own.len() + 1 + foreign.len());
            value.extend_from_slice(&own);
            value.push(b',');
            value.extend_from_slice(foreign);
            carrier.set(Header::Tracestate, &value);
        }
    }
}

/// Asks the callee not to trace; the W3C's trace goes on unsampled: with
/// the parent id that came in unsampled, else with a new one at each call.
fn inject_suppressed(context: &Context, carrier: &mut impl Inject) {
    carrier.remove(Header::TraceId);
    carrier.remove(Header::SpanId);
    carrier.set(Header::Level, b"0");
    if !propagates_w3c(context) {
        return;
    }
    let parent = if context.span == 0 {
        local::next_id()
    } else {
        context.span
    };
    let random = context.flags.has(Flags::RANDOM);
    carrier.set(
        Header::Traceparent,
        &w3c::traceparent(context.w3c, parent, false, random),
    );
    match context.tracestate() {
        Some(state) => carrier.set(Header::Tracestate, state),
        None => carrier.remove(Header::Tracestate),
    }
}

/// `INSTANA_TRACING_DISABLE_W3C_PROPAGATION` leaves the W3C's headers alone.
fn propagates_w3c(context: &Context) -> bool {
    match context.scope() {
        None => Tracer::global().switches().has(Switches::W3C_PROPAGATION),
        Some(scope) => scope.settings().switches().has(Switches::W3C_PROPAGATION),
    }
}
