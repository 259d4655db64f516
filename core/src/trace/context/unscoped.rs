//! Spans that began outside of every recorder, while there was one in the
//! process: the failure of a test that misses a span names it.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::record::{Family, sdk};
use crate::trace::context::local;
use crate::trace::context::tracer::Scope;
use crate::trace::context::unrecorded::{self, At};

/// Different spans that are named; of others, the number is known.
const MOST_NAMES: usize = 50;

/// Whether a recorder was made.
static ARMED: AtomicBool = AtomicBool::new(false);

static SEEN: Mutex<Seen> = Mutex::new(Seen {
    names: Vec::new(),
    others: 0,
});

struct Seen {
    names: Vec<(String, u64)>,
    others: u64,
}

/// A recorder was made.
pub(crate) fn arm() {
    ARMED.store(true, Ordering::Relaxed);
}

/// A span without a parent begins, or would begin with a tracer.
pub(crate) fn began(scope: Option<&Arc<Scope>>, family: &Family) {
    if scope.is_none() && !sdk::is(family) {
        note(family, family.name(), unrecorded::caller());
    }
}

/// An SDK span begins in the current context, or would begin with a tracer.
pub(crate) fn named(family: &Family, name: &str, at: At) {
    let scoped = local::with_current(|context| context.scope().is_some());
    if scoped != Some(true) {
        note(family, name, Some(at));
    }
}

/// What began, for the message of an assertion; empty without any.
pub(crate) fn summary() -> String {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut summary = String::new();
    for (name, count) in &seen.names {
        let comma = if summary.is_empty() { "" } else { ", " };
        let _ = write!(summary, "{comma}{count} × {name}");
    }
    if seen.others > 0 {
        let _ = write!(summary, ", {} others", seen.others);
    }
    summary
}

fn note(family: &Family, name: &str, at: Option<At>) {
    if !ARMED.load(Ordering::Relaxed) {
        return;
    }
    let mut name = format!("{} {name}", family.kind().word());
    if let Some(at) = at {
        let _ = write!(name, " ({}:{})", at.file(), at.line());
    }
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, count)) = seen.names.iter_mut().find(|(known, _)| *known == name) {
        *count += 1;
    } else if seen.names.len() < MOST_NAMES {
        seen.names.push((name, 1));
    } else {
        seen.others += 1;
    }
}
