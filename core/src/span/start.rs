//! How spans begin: who the parent is, and whether anything is recorded.

use super::block::Block;
use super::fields::{Fields, envelope};
use super::{Family, Kind, Span, sdk};
use crate::clock;
use crate::context::{Context, Extra, Flags, W3cTrace};
use crate::local;
use crate::propagation::Incoming;
use crate::record::{Head, flag};
use crate::settings::Switches;
use crate::tracer::{Scope, Tracer};
use std::sync::Arc;

impl Span {
    /// Starts an entry: a call that came in. It continues the trace of
    /// `incoming` or begins one. Inside an open entry of this process it is a
    /// no-op, so that stacked layers record one.
    pub fn entry(family: &'static Family, incoming: &Incoming) -> Self {
        Tracer::global().entry(family, incoming)
    }

    /// Starts an exit below the current context: a call that goes out. Without
    /// an entry above it, or below another exit, it is a no-op.
    #[inline]
    pub fn exit(family: &'static Family) -> Self {
        match local::with_current(|parent| Self::child(parent, family)) {
            Some(span) => span,
            None => Self::root_exit(None, family),
        }
    }

    /// Starts an exit below `parent`, wherever it is called.
    pub fn exit_of(parent: &Context, family: &'static Family) -> Self {
        Self::child(parent, family)
    }

    pub(super) fn sdk(family: &'static Family, name: &str) -> Self {
        let mut span = match family.kind() {
            Kind::Entry => Self::entry(family, &Incoming::none()),
            Kind::Exit => Self::exit(family),
            Kind::Intermediate => {
                local::with_current(|parent| Self::child(parent, family)).unwrap_or(Self::none())
            }
        };
        if let Some(block) = span.0.as_mut().filter(|block| block.head.is_some()) {
            Fields::new(&mut block.attributes, &sdk::SECTION).text(
                sdk::NAME,
                name,
                sdk::NAME_LIMIT,
            );
        }
        span
    }

    /// A span below `parent`, which is an open span or a carried context.
    #[inline]
    fn child(parent: &Context, family: &'static Family) -> Self {
        let flags = parent.flags;
        if flags.has(Flags::EXIT) {
            return Self::none();
        }
        if !flags.has(Flags::ACTIVE) {
            return Self::child_of_nothing(parent, family);
        }
        let mut block = local::take_block();
        let span = local::next_id();
        block.open(Head {
            trace: parent.trace,
            span,
            parent: parent.span,
            start: clock::ticks(),
            end: 0,
            family: family.index(),
            flags: 0,
            errors: 0,
        });
        block.context = Context {
            trace: parent.trace,
            span,
            w3c: parent.w3c,
            flags: flags.for_kind(family.kind()),
            extra: parent.extra.clone(),
        };
        Self(Some(block))
    }

    /// Below a suppressed call an exit still tells its callee; other spans are
    /// nothing, and leave the suppression in force.
    #[inline]
    fn child_of_nothing(parent: &Context, family: &'static Family) -> Self {
        if family.kind() != Kind::Exit {
            return Self::none();
        }
        if parent.flags.has(Flags::SUPPRESSED) {
            let mut context = parent.clone();
            context.flags = context.flags.for_kind(Kind::Exit);
            return Self(Some(Block::carrier(context)));
        }
        Self::root_exit(parent.scope(), family)
    }

    #[cold]
    fn root_exit(scope: Option<&Arc<Scope>>, family: &'static Family) -> Self {
        let tracer = scope.map_or_else(Tracer::global, |scope| Tracer::scoped(scope.clone()));
        let switches = tracer.switches();
        if !switches.has(Switches::ON) || !switches.has(Switches::ROOT_EXITS) {
            return Self::none();
        }
        tracer.begin(family, &Incoming::none())
    }
}

impl Tracer {
    /// Starts an entry as [`Span::entry`] does, for this tracer, unless the
    /// current context belongs to another one.
    #[inline]
    pub fn entry(&self, family: &'static Family, incoming: &Incoming) -> Span {
        enum Above {
            Free,
            Entry,
            Scope(Arc<Scope>),
        }
        let above = local::with_current(|context| {
            if context.flags.has(Flags::ENTRY) && !context.flags.has(Flags::CARRIED) {
                return Above::Entry;
            }
            context
                .scope()
                .map_or(Above::Free, |scope| Above::Scope(scope.clone()))
        });
        match above {
            None | Some(Above::Free) => {}
            Some(Above::Entry) => return Span::none(),
            Some(Above::Scope(scope)) => return Self::scoped(scope).begin(family, incoming),
        }
        self.begin(family, incoming)
    }

    /// A span without a parent in this process.
    #[inline]
    fn begin(&self, family: &'static Family, incoming: &Incoming) -> Span {
        if !self.switches().has(Switches::ON) {
            return Span::none();
        }
        let mut block = local::take_block();
        block.context = self.context(family.kind(), incoming);
        if !incoming.is_suppressed() {
            let start = clock::ticks();
            describe(&mut block, family, incoming, start);
        }
        Span(Some(block))
    }

    #[inline]
    fn context(&self, kind: Kind, incoming: &Incoming) -> Context {
        let suppressed = incoming.is_suppressed();
        let trace = if incoming.trace == 0 {
            local::next_id()
        } else {
            incoming.trace
        };
        let w3c = match incoming.w3c {
            Some(w3c) => w3c,
            None => W3cTrace {
                high: incoming.trace_high,
                low: trace,
            },
        };
        let mut flags = if suppressed {
            Flags::SUPPRESSED
        } else {
            Flags::ACTIVE
        };
        if incoming.random() {
            flags = flags.with(Flags::RANDOM);
        }
        Context {
            trace,
            span: if suppressed {
                incoming.unsampled_parent()
            } else {
                local::next_id()
            },
            w3c,
            flags: flags.for_kind(kind),
            extra: self.extra(incoming),
        }
    }

    #[inline]
    fn extra(&self, incoming: &Incoming) -> Option<Arc<Extra>> {
        let scope = self.scope();
        if scope.is_none()
            && incoming
                .rare
                .as_ref()
                .is_none_or(|rare| rare.tracestate.is_none())
        {
            return None;
        }
        let tracestate = incoming
            .rare
            .as_ref()
            .and_then(|rare| rare.tracestate.clone());
        Some(Arc::new(Extra {
            tracestate,
            scope: scope.cloned(),
        }))
    }
}

/// What an entry records of how it came in.
#[inline]
fn describe(block: &mut Block, family: &'static Family, incoming: &Incoming, start: u64) {
    let mut flags = 0;
    if incoming.synthetic {
        flags |= flag::SYNTHETIC;
    }
    if incoming.has_w3c_parent() {
        flags |= flag::W3C_PARENT;
    }
    block.open(Head {
        trace: block.context.trace,
        span: block.context.span,
        parent: incoming.parent,
        start,
        end: 0,
        family: family.index(),
        flags,
        errors: 0,
    });
    if incoming.is_long() {
        let mut fields = Fields::envelope(&mut block.attributes);
        fields.bytes(envelope::LONG_TRACE, &incoming.trace_high.to_ne_bytes());
    }
    if let Some(rare) = &incoming.rare {
        rare.describe(Fields::envelope(&mut block.attributes));
    }
}
