//! Where a call stands in its trace: what children and outgoing headers need.

use std::fmt;
use std::sync::Arc;

use crate::id;
use crate::local;
use crate::propagation::ServerTiming;
use crate::settings::Switches;
use crate::span::{Kind, Span};
use crate::tracer::{GLOBAL, Scope};

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

const _: () = assert!(
    Switches::AT_START.at_start() & ((Flags::CARRIED.0 * 2 - 1) | Flags::FAMILY.0) == 0,
    "the bits of switches are not those of flags"
);

/// What few contexts carry.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// Foreign members of `tracestate`, ready to be sent.
    pub(crate) tracestate: Option<Vec<u8>>,
    /// The tracer that spans below go to, when it is not the process's.
    pub(crate) scope: Option<Arc<Scope>>,
}

/// Properties of a context, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    const ALL: Self = Self(u32::MAX);
    /// There is a trace: `trace` and `span` are set.
    pub(crate) const ACTIVE: Self = Self(1);
    /// Nothing is recorded below.
    pub(crate) const SUPPRESSED: Self = Self(1 << 1);
    /// The random bit of the outgoing `traceparent`.
    pub(crate) const RANDOM: Self = Self(1 << 2);
    /// The span is an exit: no exits or intermediate spans below it.
    pub(crate) const EXIT: Self = Self(1 << 3);
    /// The span is an open entry, or work in one.
    pub(crate) const ENTRY: Self = Self(1 << 4);

    /// The context was carried to another task or thread: the span is not here.
    pub(crate) const CARRIED: Self = Self(1 << 5);
    /// More is to be done when a span starts below: there are rules, or exits have
    /// stacks.
    const AT_START: Self = Self(Switches::AT_START.at_start());
    /// Where the open entry's [family](Self::family) is noted.
    const FAMILY: Self = Self(u32::MAX << Self::FAMILY_SHIFT);
    const FAMILY_SHIFT: u32 = 8;

    pub(crate) const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// With what these switches say about spans below.
    #[inline]
    pub(crate) const fn with_switches(self, switches: Switches) -> Self {
        Self(self.0 | switches.at_start())
    }

    /// True where a span that starts below is simply recorded: in a trace, not
    /// below an exit, and without anything else to do.
    #[inline]
    pub(crate) const fn are_plain(self) -> bool {
        self.0 & (Self::ACTIVE.0 | Self::EXIT.0 | Self::AT_START.0) == Self::ACTIVE.0
    }

    pub(crate) const fn with(self, flag: Self) -> Self {
        Self(self.0 | flag.0)
    }

    pub(crate) const fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }

    /// What a span of a family keeps of its parent's, and what it adds. Work in
    /// between is still inside its entry.
    pub(crate) const fn of_family(kind: Kind, name: &str) -> (Self, Self) {
        let place = Self::EXIT.with(Self::ENTRY).with(Self::CARRIED);
        let most = Self::ALL.without(place.with(Self::FAMILY));
        match kind {
            Kind::Entry => (most, Self::ENTRY.with(Self::family(name))),
            Kind::Exit => (most, Self::EXIT),
            Kind::Intermediate => (Self::ALL.without(Self::EXIT), Self(0)),
        }
    }

    /// A hash of a family's name (FNV-1a): 24 bits keep the few families of entries
    /// apart.
    const fn family(name: &str) -> Self {
        let mut hash = 0x811c_9dc5_u32;
        let mut rest = name.as_bytes();
        while let [byte, tail @ ..] = rest {
            hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
            rest = tail;
        }
        Self(hash << Self::FAMILY_SHIFT)
    }

    /// True inside of an open entry, whose span is in this task.
    pub(crate) const fn are_inside_entry(self) -> bool {
        self.has(Self::ENTRY) && !self.has(Self::CARRIED)
    }

    /// True where both are inside of, or add, an entry of one family.
    pub(crate) const fn have_family_of(self, other: Self) -> bool {
        self.0 & Self::FAMILY.0 == other.0 & Self::FAMILY.0
    }

    /// These, of the parent, as a span of a family has them.
    #[inline]
    pub(crate) const fn below(self, (kept, added): (Self, Self)) -> Self {
        Self(self.0 & kept.0 | added.0)
    }
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

    /// The value of the `Server-Timing` response header that lets a browser
    /// find this trace; `None` without a trace or where tracing is suppressed.
    #[inline]
    pub fn server_timing(&self) -> Option<ServerTiming> {
        self.is_active().then(|| ServerTiming::new(self.trace))
    }

    /// Runs `f` in this context: exits and spans that it starts are children of
    /// its span, which itself stays where it is. For threads and callbacks;
    /// futures have [`in_context`](crate::FutureExt::in_context).
    ///
    /// ```
    /// let context = instana::Context::current();
    /// let thread = std::thread::spawn(move || context.enter(|| 6 * 7));
    /// assert_eq!(thread.join().ok(), Some(42));
    /// ```
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        Span::carrier(self).enter(f)
    }

    /// The same context with tracing suppressed: nothing is recorded in it, and
    /// callees are told not to trace. The W3C's trace goes on, not sampled.
    ///
    /// [`suppress`] and [`FutureExt::suppress`](crate::FutureExt::suppress) run
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

/// Runs `f` with tracing suppressed: nothing that starts in it is recorded, and
/// the services it calls are told so. Only requests that come in to a server are
/// decided by their own headers, there as anywhere. For futures, use
/// [`FutureExt::suppress`](crate::FutureExt::suppress).
///
/// ```
/// let healthy = instana::suppress(|| instana::exit_span("ping").enter(|| true));
/// assert!(healthy);
/// ```
pub fn suppress<R>(f: impl FnOnce() -> R) -> R {
    Context::current().suppressed().enter(f)
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
