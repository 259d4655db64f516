//! Whether a span is recorded where it begins.

use std::sync::Arc;

use crate::config::Switches;
use crate::record::flags::Flags;
use crate::record::{Family, Kind, sdk};
use crate::trace::context::Tracer;
use crate::trace::context::local;
use crate::trace::context::tracer::Scope;
use crate::trace::context::unrecorded;
use crate::trace::context::unrecorded::{At, Reason};
use crate::trace::span::Span;

/// The rule for entries inside of an open entry (docs/ARCHITECTURE.md, "Entries
/// inside of entries").
pub(crate) fn refuses(above: Flags, family: &Family) -> bool {
    let (_, own) = family.flags;
    above.are_inside_entry() && (above.have_family_of(own) || sdk::is(family))
}

/// A no-op in place of an entry, which is counted unless tracing is suppressed.
#[cold]
#[inline(never)]
pub(crate) fn refused(family: &'static Family) -> Span {
    let above = local::with_current(|above| {
        let is_refused = above.flags.has(Flags::ACTIVE) && refuses(above.flags, family);
        is_refused.then(|| Tracer::of(above.scope()))
    });
    if let Some(tracer) = above.flatten().filter(|_| !sdk::is(family)) {
        let name = family.name();
        unrecorded::note(&tracer, Reason::EntryInside, family, name, None);
    }
    Span::none()
}

/// Notes an exit, or work in between, outside of any entry. Spans that users name are
/// noted where their name and their place in the code are known. (The place of a
/// library's span is in the library, and to pass it on would cost every span.)
#[cold]
pub(crate) fn note(scope: Option<&Arc<Scope>>, family: &'static Family) {
    if !sdk::is(family) {
        let reason = Reason::of(family.kind());
        unrecorded::note(&Tracer::of(scope), reason, family, family.name(), None);
    }
}

/// Notes a span of the user's that is a no-op, if that is because of where it begins.
#[cold]
#[inline(never)]
pub(crate) fn note_sdk(family: &'static Family, name: &str, at: At) {
    let above = local::with_current(|above| (above.flags, Tracer::of(above.scope())));
    let (flags, tracer) = above.unwrap_or_default();
    let is_unrecorded = match family.kind() {
        _ if flags.has(Flags::SUPPRESSED) => false,
        Kind::Entry => refuses(flags, family),
        Kind::Exit => !flags.has(Flags::ACTIVE) && !tracer.switches().has(Switches::ROOT_EXITS),
        Kind::Intermediate => !flags.has(Flags::ACTIVE),
    };
    if is_unrecorded {
        let reason = Reason::of(family.kind());
        unrecorded::note(&tracer, reason, family, name, Some(at));
    }
}
