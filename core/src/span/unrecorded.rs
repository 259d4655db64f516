//! Whether a span is recorded where it begins.

use std::sync::Arc;

use super::{Family, Kind, Span, sdk};
use crate::context::Flags;
use crate::local;
use crate::settings::Switches;
use crate::tracer::{Scope, Tracer};
use crate::unrecorded::{self, At, Reason};

/// The rule for entries inside of an open entry (docs/ARCHITECTURE.md, "Entries
/// inside of entries").
pub(super) fn refuses(above: Flags, family: &Family) -> bool {
    let (_, own) = family.flags;
    above.are_inside_entry() && (above.have_family_of(own) || sdk::is(family))
}

/// A no-op in place of an entry, which is counted unless tracing is suppressed.
#[cold]
#[inline(never)]
pub(super) fn refused(family: &'static Family, at: Option<At>) -> Span {
    let above = local::with_current(|above| {
        let is_refused = above.flags.has(Flags::ACTIVE) && refuses(above.flags, family);
        is_refused.then(|| Tracer::of(above.scope()))
    });
    if let Some(tracer) = above.flatten().filter(|_| !sdk::is(family)) {
        let name = family.name();
        unrecorded::note(&tracer, Reason::EntryInside, family, name, at);
    }
    Span::none()
}

/// Notes an exit, or work in between, outside of any entry. Those of users are noted
/// where their name is known.
#[cold]
pub(super) fn note(scope: Option<&Arc<Scope>>, family: &'static Family, at: At) {
    if !sdk::is(family) {
        let reason = Reason::of(family.kind());
        unrecorded::note(&Tracer::of(scope), reason, family, family.name(), Some(at));
    }
}

/// Notes a span of the user's that is a no-op, if that is because of where it begins.
#[cold]
#[inline(never)]
pub(super) fn note_sdk(family: &'static Family, name: &str, at: At) {
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
