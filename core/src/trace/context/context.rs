//! Where a call stands in its trace: what children and outgoing headers need.

use std::fmt;
use std::sync::Arc;

use crate::base::id;
use crate::config::Switches;
use crate::record::flags::Flags;
use crate::trace::context::local;
use crate::trace::context::tracer::{GLOBAL, Scope};

/// The ids of a span, and how its trace came in: cheap to clone (48 bytes; one
/// reference count only where a foreign `tracestate` or a scoped tracer is
/// carried), `Send`, and independent of the span's life.
///
/// A context says who the parent is. It is what a task, a thread or a message
/// needs to continue a trace; the span itself stays where it is.
#[derive(Clone, Default)]
pub struct Context {
    /// The low 64 bits of the trace id.
    pub(crate) trace: u64,
    /// The id of the span. In a suppressed context: the parent id to send on
    /// unchanged, or 0 for a new one at each call.
    pub(crate) span: u64,
    /// The W3C trace id: the incoming one, else our own padded.
    pub(crate) w3c: W3cTrace,
    pub(crate) flags: Flags,
    pub(crate) extra: Option<Arc<Extra>>,
}

/// The 128 bits of a W3C trace id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct W3cTrace {
    pub(crate) high: u64,
    pub(crate) low: u64,
}

/// What few contexts carry.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// Foreign members of `tracestate`, ready to be sent.
    pub(crate) tracestate: Option<Vec<u8>>,
    /// The tracer that spans below go to, when it is not the process's.
    pub(crate) scope: Option<Arc<Scope>>,
}

impl Context {
    /// The context of the code that runs now: of the innermost span or future
    /// that was entered on this thread. Outside of any, a context without a
    /// trace.
    pub fn current() -> Self {
        local::with_current(Self::clone).unwrap_or_default()
    }

    /// The trace id as 16 hexadecimal digits; `None` without a trace or where
    /// tracing is suppressed.
    pub fn trace_id(&self) -> Option<String> {
        self.is_active().then(|| text(id::hex(self.trace)))
    }

    /// The span id as 16 hexadecimal digits; `None` without a trace or where
    /// tracing is suppressed.
    pub fn span_id(&self) -> Option<String> {
        self.is_active().then(|| text(id::hex(self.span)))
    }

    /// True inside a trace that is recorded.
    pub fn is_active(&self) -> bool {
        self.flags.has(Flags::ACTIVE)
    }

    /// True where an incoming call asked for no tracing (`X-INSTANA-L: 0`, or
    /// a `traceparent` that is not sampled).
    pub fn is_suppressed(&self) -> bool {
        self.flags.has(Flags::SUPPRESSED)
    }

    /// True inside of an exit, also in a task that its context was carried to: what runs
    /// here is part of a call that goes out.
    pub fn is_exit(&self) -> bool {
        self.flags.has(Flags::EXIT)
    }

    /// The same context with tracing suppressed: nothing is recorded in it, and
    /// callees are asked not to trace. The W3C's trace goes on, not sampled.
    ///
    /// [`suppress`](crate::suppress) and [`FutureExt::suppress`](crate::FutureExt::suppress) run
    /// code in it.
    pub fn suppressed(mut self) -> Self {
        if !self.is_suppressed() {
            if self.w3c == W3cTrace::default() {
                self.w3c.low = local::next_id();
            }
            self.span = 0;
            self.flags = self.flags.without(Flags::ACTIVE).with(Flags::SUPPRESSED);
        }
        self
    }

    /// True where neither a trace nor a suppression nor a scoped tracer is known:
    /// there is nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.flags == Flags::default() && self.extra.is_none()
    }

    pub(crate) fn scope(&self) -> Option<&Arc<Scope>> {
        self.extra.as_ref()?.scope.as_ref()
    }

    /// The switches of the tracer that its spans go to.
    #[inline]
    pub(crate) fn switches(&self) -> Switches {
        match self.scope() {
            None => GLOBAL.switches(),
            Some(scope) => scope.settings().switches(),
        }
    }

    pub(crate) fn tracestate(&self) -> Option<&[u8]> {
        self.extra.as_ref()?.tracestate.as_deref()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("trace", &self.trace_id())
            .field("span", &self.span_id())
            .field("suppressed", &self.is_suppressed())
            .finish_non_exhaustive()
    }
}

fn text(digits: [u8; 16]) -> String {
    digits_str(&digits).to_owned()
}

/// Digits are ASCII.
fn digits_str(digits: &[u8; 16]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_as_small_as_documented() {
        assert_eq!(size_of::<Context>(), 48);
        assert!(Context::default().is_empty());
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<Context>();
    }
}
