//! How spans begin: who the parent is, and whether anything is recorded.

use crate::base::clock;
use crate::config::Switches;
use crate::record::fields::{Fields, envelope};
use crate::record::flags::Flags;
use crate::record::head::{Traits, flag};
use crate::record::{Family, Kind, sdk};
use crate::trace::context::Tracer;
use crate::trace::context::block;
use crate::trace::context::block::Block;
use crate::trace::context::local;
use crate::trace::context::local::Local;
use crate::trace::context::tracer::Scope;
use crate::trace::context::unscoped;
use crate::trace::context::{Context, Extra, W3cTrace};
use crate::trace::propagation::Incoming;
use crate::trace::span::Span;
use crate::trace::span::stack;
use crate::trace::span::unrecorded::{note, note_sdk, refused, refuses};
use std::panic::Location;
use std::sync::Arc;

/// The process's tracer, without one to drop.
static PROCESS: Tracer = Tracer::global();

/// # For authors of instrumentation: starting spans
impl Span {
    /// Starts an entry: a call that came in. It continues the trace of
    /// `incoming` or begins one. Inside an open entry of the same family it is a
    /// no-op, and counted
    /// ([`SpanCounts::entries_inside`](crate::SpanCounts::entries_inside)).
    pub fn entry(family: &'static Family, incoming: &Incoming) -> Self {
        PROCESS.entry(family, incoming)
    }

    /// Starts an exit below the current context: a call that goes out. Without
    /// an entry above it, it is a no-op, and counted
    /// ([`SpanCounts::exits_outside`](crate::SpanCounts::exits_outside)). Below another
    /// exit it records nothing, and its callee continues the trace from that exit.
    #[inline(never)]
    pub fn exit(family: &'static Family) -> Self {
        local::with(|local| {
            let Some(parent) = local.leave() else {
                return Self::root_exit(None, family);
            };
            // Two functions, so that a suppressed exit costs next to nothing.
            if parent.context.flags.has(Flags::SUPPRESSED) {
                local.enter(parent);
                return Self::none();
            }
            Self::exit_below(local, parent, family)
        })
    }

    #[inline(never)]
    fn exit_below(local: &Local, parent: Box<Block>, family: &'static Family) -> Self {
        let span = Self::below(local, &parent.context, family);
        local.enter(parent);
        span
    }

    /// Starts an exit below `parent`, wherever it is called.
    pub fn exit_of(parent: &Context, family: &'static Family) -> Self {
        local::with(|local| Self::below(local, parent, family))
    }

    /// Starts an exit that calls nobody: something said inside the current span,
    /// such as a log line. Unlike [`exit`](Self::exit) it is recorded below another
    /// exit, too, as Instana's Go tracer does with log lines, and never without a
    /// span above it, as its Node.js tracer does where exits may be roots.
    pub fn annotation(family: &'static Family) -> Self {
        let span = local::with_current(|parent| {
            let is_active = parent.flags.has(Flags::ACTIVE);
            is_active.then(|| local::with(|local| Self::child(local, parent, family)))
        });
        span.flatten().unwrap_or(Self::none())
    }

    #[track_caller]
    pub(crate) fn sdk(family: &'static Family, name: &str) -> Self {
        let at = Location::caller();
        unscoped::named(family, name, at);
        let mut span = match family.kind() {
            // Where a call comes in, its headers decide; here, nobody else does.
            Kind::Entry if Context::current().is_suppressed() => Self::none(),
            Kind::Entry => Self::entry(family, &Incoming::none()),
            Kind::Exit => Self::exit(family),
            Kind::Intermediate => {
                local::with_current(|parent| Self::exit_of(parent, family)).unwrap_or(Self::none())
            }
        };
        if span.0.is_none() {
            note_sdk(family, name, at);
        }
        if let Some(block) = span.0.as_mut().filter(|block| block.is_recording()) {
            Fields::new(&mut block.attributes, &sdk::SECTION).text(
                sdk::NAME,
                name,
                sdk::NAME_LIMIT,
            );
        }
        span.decide();
        span
    }

    /// A span below `parent`, which is an open span or a carried context.
    #[inline(always)]
    fn below(local: &Local, parent: &Context, family: &'static Family) -> Self {
        if parent.flags.are_plain() {
            Self::begin_below(local, parent, family)
        } else {
            Self::below_other(local, parent, family)
        }
    }

    #[inline(always)]
    fn begin_below(local: &Local, parent: &Context, family: &'static Family) -> Self {
        let Some(mut block) = local.take_block() else {
            return Self::none();
        };
        block.recorded_by = block::generation();
        block.traits = Traits::new(family.index(), 0);
        block.parent = parent.span;
        block.start = clock::ticks();
        block.context.trace = parent.trace;
        block.context.span = local.next_id();
        block.context.w3c = parent.w3c;
        block.context.flags = parent.flags.below(family.flags);
        if parent.extra.is_some() {
            block.context.extra = parent.extra.clone();
        }
        Self(Some(block))
    }

    /// Below a suppressed call every span is a no-op, and leaves the suppression
    /// in force. (An exit still tells its callee: see [`Span::inject`].)
    fn below_nothing(parent: &Context, family: &'static Family) -> Self {
        if parent.flags.has(Flags::SUPPRESSED) {
            return Self::none();
        }
        if family.kind() == Kind::Exit {
            return Self::root_exit(parent.scope(), family);
        }
        note(parent.scope(), family);
        Self::none()
    }

    /// Outside of a trace, below an exit, or where there are rules or stacks.
    #[inline(never)]
    fn below_other(local: &Local, parent: &Context, family: &'static Family) -> Self {
        if !parent.flags.has(Flags::ACTIVE) {
            return Self::below_nothing(parent, family);
        }
        if parent.flags.has(Flags::EXIT) {
            return Self::below_exit(parent, family);
        }
        Self::child(local, parent, family)
    }

    /// One call is one exit, the outermost. What is sent below it is sent by it: the
    /// callee continues the trace from there.
    #[cold]
    fn below_exit(exit: &Context, family: &'static Family) -> Self {
        match family.kind() {
            Kind::Exit => Self::carrier(exit.clone()),
            Kind::Entry | Kind::Intermediate => Self::none(),
        }
    }

    /// A span below one of any kind, if the rules do not disable it.
    fn child(local: &Local, parent: &Context, family: &'static Family) -> Self {
        let switches = parent.switches();
        if switches.has(Switches::RULES) && is_disabled(parent, family) {
            return Self::disabled_below(parent, family);
        }
        Self::begin_below(local, parent, family).with_stack(switches)
    }

    /// Keeps where an exit starts, if the settings want that.
    fn with_stack(mut self, switches: Switches) -> Self {
        let block = self.0.as_mut().filter(|block| block.is_recording());
        if let Some(block) = block.filter(|_| switches.has(Switches::STACKS)) {
            stack::at_start(block);
        }
        self
    }

    /// The context goes on as if there was no such call.
    #[cold]
    fn disabled_below(parent: &Context, family: &'static Family) -> Self {
        match family.kind() {
            Kind::Exit => Self::carrier(parent.clone()),
            Kind::Entry | Kind::Intermediate => Self::none(),
        }
    }

    #[cold]
    fn root_exit(scope: Option<&Arc<Scope>>, family: &'static Family) -> Self {
        let tracer = Tracer::of(scope);
        let switches = tracer.switches();
        if !switches.has(Switches::ON) || !switches.has(Switches::ROOT_EXITS) {
            unscoped::began(scope, family);
            note(scope, family);
            return Self::none();
        }
        tracer.begin(family, &Incoming::none()).with_stack(switches)
    }
}

impl Tracer {
    /// Starts an entry as [`Span::entry`] does, for this tracer, unless the
    /// current context belongs to another one.
    #[inline]
    pub fn entry(&self, family: &'static Family, incoming: &Incoming) -> Span {
        match local::with_current(|above| self.entry_below(above, family, incoming)) {
            None => self.begin(family, incoming),
            Some(Below::Begun(span)) => span,
            Some(Below::Refused) => refused(family),
        }
    }

    /// As [`entry`](Self::entry). `incoming`, which reads the headers of a request or
    /// message, runs only where spans are recorded.
    ///
    /// ```
    /// use instana::Tracer;
    /// use instana::propagation::Incoming;
    /// use instana::span::http::ENTRY;
    ///
    /// # let recorder = instana::testing::Recorder::new();
    /// let read_headers = || Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a");
    /// # recorder.enter(|| {
    /// Tracer::global().entry_with(&ENTRY, read_headers).end();
    /// # });
    /// # assert_eq!(recorder.spans()[0].parent(), "37cb2d6e9b1c078a");
    /// ```
    #[inline]
    pub fn entry_with(&self, family: &'static Family, incoming: impl FnOnce() -> Incoming) -> Span {
        let incoming = if self.in_context().is_on() {
            incoming()
        } else {
            Incoming::none()
        };
        self.entry(family, &incoming)
    }

    /// As [`entry`](Self::entry), for layers that may be stacked: an entry that is a
    /// no-op because another one is open is not counted. Whether that is the entry of
    /// the same call, the layer knows; where it is not, it calls
    /// [`refuse`](Self::refuse).
    #[inline]
    pub fn layered_entry(&self, family: &'static Family, incoming: &Incoming) -> Span {
        match local::with_current(|above| self.entry_below(above, family, incoming)) {
            None => self.begin(family, incoming),
            Some(Below::Begun(span)) => span,
            Some(Below::Refused) => Span::none(),
        }
    }

    /// Counts an entry that did not [begin](Self::layered_entry) because another one
    /// is open; nothing where none is, and where tracing is suppressed.
    #[cold]
    pub fn refuse(family: &'static Family) {
        refused(family).end();
    }

    #[cold]
    fn entry_below(&self, above: &Context, family: &'static Family, incoming: &Incoming) -> Below {
        if refuses(above.flags, family) {
            return Below::Refused;
        }
        Below::Begun(match above.scope() {
            None => self.begin(family, incoming),
            Some(scope) => Self::scoped(scope.clone()).begin(family, incoming),
        })
    }

    /// A span without a parent in this process. Small, so that it becomes part of its
    /// caller: of the two ways on, each saves only the registers that it needs.
    #[inline(always)]
    fn begin(&self, family: &'static Family, incoming: &Incoming) -> Span {
        unscoped::began(self.scope(), family);
        let switches = self.switches();
        if !switches.has(Switches::ON) {
            return Span::none();
        }
        if incoming.is_suppressed() {
            return self.begin_suppressed(family, incoming);
        }
        self.begin_recorded(switches, family, incoming)
    }

    #[inline(never)]
    fn begin_recorded(
        &self,
        switches: Switches,
        family: &'static Family,
        incoming: &Incoming,
    ) -> Span {
        if switches.has(Switches::RULES) && self.disables(family) {
            return self.begin_disabled(switches, family, incoming);
        }
        let (block, trace, span) = local::with(|local| {
            let trace = match incoming.trace {
                0 => local.next_id(),
                continued => continued,
            };
            (local.take_block(), trace, local.next_id())
        });
        let Some(mut block) = block else {
            return Span::none();
        };
        let state = Flags::ACTIVE.with_switches(switches);
        self.place(&mut block.context, family, incoming, state, trace);
        block.context.span = span;
        describe(&mut block, family, incoming);
        if switches.has(Switches::POLLS) {
            begin_polls(&mut block, switches);
        }
        Span(Some(block))
    }

    /// A span that records nothing and passes the suppression on.
    #[inline(never)]
    fn begin_suppressed(&self, family: &'static Family, incoming: &Incoming) -> Span {
        let (block, trace) = local::with(|local| {
            let trace = match incoming.w3c {
                None => local.next_id(),
                Some(_) => 0,
            };
            (local.take_block(), trace)
        });
        let Some(mut block) = block else {
            return Span::none();
        };
        self.place(
            &mut block.context,
            family,
            incoming,
            Flags::SUPPRESSED,
            trace,
        );
        block.context.span = incoming.unsampled_parent();
        block.recorded_by = 0;
        Span(Some(block))
    }

    /// A span of a family that is not recorded: what is called below it continues
    /// the caller's trace, if there is one.
    #[cold]
    fn begin_disabled(&self, switches: Switches, family: &Family, incoming: &Incoming) -> Span {
        if incoming.trace == 0 {
            return Span::none();
        }
        let mut context = Context::default();
        let state = Flags::ACTIVE.with_switches(switches);
        self.place(&mut context, family, incoming, state, incoming.trace);
        context.span = incoming.parent;
        Span::carrier(context)
    }

    /// Fills the context of a span of `trace`, all but the id of the span.
    #[inline]
    fn place(
        &self,
        context: &mut Context,
        family: &Family,
        incoming: &Incoming,
        state: Flags,
        trace: u64,
    ) {
        let flags = if incoming.random() {
            state.with(Flags::RANDOM)
        } else {
            state
        };
        context.trace = trace;
        context.w3c = incoming.w3c.unwrap_or(W3cTrace {
            high: incoming.trace_high,
            low: trace,
        });
        context.flags = flags.below(family.flags);
        if self.scope().is_some() || incoming.rare.is_some() {
            context.extra = self.extra(incoming);
        }
    }

    #[cold]
    fn extra(&self, incoming: &Incoming) -> Option<Arc<Extra>> {
        let tracestate = incoming
            .rare
            .as_ref()
            .and_then(|rare| rare.tracestate.clone());
        let scope = self.scope().cloned();
        let needed = tracestate.is_some() || scope.is_some();
        needed.then(|| Arc::new(Extra { tracestate, scope }))
    }
}

/// What becomes of an entry inside of a context.
enum Below {
    Begun(Span),
    /// There is one already.
    Refused,
}

#[cold]
fn is_disabled(parent: &Context, family: &'static Family) -> bool {
    Tracer::of(parent.scope()).disables(family)
}

/// What is noted of an entry's polls.
#[cold]
#[inline(never)]
fn begin_polls(block: &mut Block, switches: Switches) {
    if switches.has(Switches::POLL_TIMING) {
        block.time_polls();
    } else {
        block.meter_polls();
    }
}

/// What an entry records of how it came in.
#[inline]
fn describe(block: &mut Block, family: &'static Family, incoming: &Incoming) {
    let mut flags = 0;
    if incoming.synthetic {
        flags |= flag::SYNTHETIC;
    }
    if incoming.has_w3c_parent() {
        flags |= flag::W3C_PARENT;
    }
    block.recorded_by = block::generation();
    block.traits = Traits::new(family.index(), flags);
    block.parent = incoming.parent;
    block.start = clock::ticks();
    if incoming.is_long() {
        let mut fields = Fields::envelope(&mut block.attributes);
        fields.bytes(envelope::LONG_TRACE, &incoming.trace_high.to_ne_bytes());
    }
    if let Some(rare) = &incoming.rare {
        rare.describe(Fields::envelope(&mut block.attributes));
    }
}

#[cfg(test)]
mod tests;
