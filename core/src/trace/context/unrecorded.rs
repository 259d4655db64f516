//! Spans that are not recorded because of where they begin: counted by reason, and
//! said in the log once for each place in the code.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::base::log;
use crate::base::text::printable;
use crate::config::Switches;
use crate::record::{Family, Kind};
use crate::trace::context::Tracer;

/// Places that are named; of others, the spans are counted only.
const MAX_PLACES: usize = 64;

/// Bytes of a name that are kept.
const MAX_NAME: usize = 100;

/// A place in the code of the application.
pub(crate) type At = &'static Location<'static>;

thread_local! {
    /// The place from which the running instrumentation was called: see [`called_from`].
    static CALLER: Cell<Option<At>> = const { Cell::new(None) };
}

/// For instrumentation with `#[track_caller]`: the log names `caller` as the place of what
/// `start` starts and what is not recorded, because it is outside of any entry, say. Else
/// it would know the family only: to pass the place on would cost every span.
///
/// ```
/// use std::panic::Location;
///
/// use instana::Span;
/// use instana::span::http::EXIT;
///
/// #[track_caller]
/// fn send() {
///     let exit = instana::span::called_from(Location::caller(), || Span::exit(&EXIT));
///     exit.end();
/// }
/// ```
pub fn called_from<R>(caller: &'static Location<'static>, start: impl FnOnce() -> R) -> R {
    let _caller = Caller(
        CALLER
            .try_with(|known| known.replace(Some(caller)))
            .ok()
            .flatten(),
    );
    start()
}

/// The place from which the running instrumentation was called, if that is known.
pub(crate) fn caller() -> Option<At> {
    CALLER.try_with(Cell::get).ok().flatten()
}

/// Puts the caller back that was known before, also where `start` panics.
struct Caller(Option<At>);

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = CALLER.try_with(|known| known.set(self.0));
    }
}

/// The unrecorded spans of the process's tracer.
pub(crate) static PROCESS: Unrecorded = Unrecorded::new(Patience::None);

/// Why a span is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// An entry inside of an open one: another request to the same process, or a
    /// second entry for one message.
    EntryInside,
    /// An exit outside of any entry, where root exits are not allowed.
    ExitOutside,
    /// A piece of work outside of any entry.
    IntermediateOutside,
}

impl Reason {
    pub(crate) const ALL: [Self; 3] = [
        Self::EntryInside,
        Self::ExitOutside,
        Self::IntermediateOutside,
    ];

    /// The reason for a span of this kind.
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Entry => Self::EntryInside,
            Kind::Exit => Self::ExitOutside,
            Kind::Intermediate => Self::IntermediateOutside,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::EntryInside => Kind::Entry,
            Self::ExitOutside => Kind::Exit,
            Self::IntermediateOutside => Kind::Intermediate,
        }
    }

    /// What is wrong, and what can be done about it.
    fn advice(self) -> &'static str {
        match self {
            Self::EntryInside => {
                "it begins inside of an open entry. What one call or message does has one entry: \
                 for a part of it there is instana::span; a call or a message of its own is to be \
                 handled when the entry has ended, or in a task of its own"
            }
            Self::ExitOutside => {
                "it begins outside of any entry. Where it belongs to a request, the server's \
                 layer is to be around the handler (with axum, added after the routes), and a \
                 task is to be spawned by instana_tokio::spawn, or its future to be put into \
                 in_current_span(). Elsewhere, begin an entry (instana::entry_span), or record \
                 such exits (INSTANA_ALLOW_ROOT_EXIT_SPAN=true)"
            }
            Self::IntermediateOutside => {
                "it begins outside of any entry. Where it belongs to a request, the server's \
                 layer is to be around the handler (with axum, added after the routes), and a \
                 task is to be spawned by instana_tokio::spawn, or its future to be put into \
                 in_current_span(). Elsewhere, begin an entry (instana::entry_span)"
            }
        }
    }
}

/// How many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) entries_inside: u64,
    pub(crate) exits_outside: u64,
    pub(crate) intermediates_outside: u64,
}

/// Whether the lock of the places is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// An application's thread must not wait, and in a forked child it may be
    /// locked for ever.
    None,
    /// Tests want to see each.
    #[cfg_attr(not(any(test, feature = "testing")), expect(dead_code))]
    Any,
}

/// The spans that one tracer did not record.
#[derive(Debug)]
pub(crate) struct Unrecorded {
    counts: [AtomicU64; Reason::ALL.len()],
    places: Mutex<Vec<Place>>,
    patience: Patience,
}

/// Where spans were not recorded.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) reason: Reason,
    family: &'static str,
    /// Of the first one.
    pub(crate) name: String,
    /// `None` where it is in no code of the application.
    pub(crate) at: Option<At>,
    pub(crate) count: u64,
    is_said: bool,
}

impl Unrecorded {
    pub(crate) const fn new(patience: Patience) -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; Reason::ALL.len()],
            places: Mutex::new(Vec::new()),
            patience,
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let [entries, exits, intermediates] = &self.counts;
        Counts {
            entries_inside: entries.load(Ordering::Relaxed),
            exits_outside: exits.load(Ordering::Relaxed),
            intermediates_outside: intermediates.load(Ordering::Relaxed),
        }
    }

    /// The places that are known.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn places(&self) -> Vec<Place> {
        let places = self.places.lock();
        places.unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn clear(&self) {
        let places = self.places.lock();
        places.unwrap_or_else(PoisonError::into_inner).clear();
        for count in &self.counts {
            count.store(0, Ordering::Relaxed);
        }
    }

    #[cold]
    pub(crate) fn note(&self, reason: Reason, family: &'static str, name: &str, at: Option<At>) {
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let places = match self.patience {
            Patience::Any => Some(self.places.lock().unwrap_or_else(PoisonError::into_inner)),
            Patience::None => self.places.try_lock().ok(),
        };
        if let Some(mut places) = places {
            add(&mut places, reason, family, name, at);
        }
    }
}

fn add(places: &mut Vec<Place>, reason: Reason, family: &'static str, name: &str, at: Option<At>) {
    let is_here =
        |place: &&mut Place| place.reason == reason && place.at == at && place.family == family;
    if let Some(place) = places.iter_mut().find(is_here) {
        place.count += 1;
    } else if places.len() < MAX_PLACES {
        places.push(Place {
            reason,
            family,
            name: printable(name, MAX_NAME),
            at,
            count: 1,
            is_said: false,
        });
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.kind().word())?;
        f.write_char(' ')?;
        f.write_str(&self.name)?;
        if let Some(at) = self.at {
            write!(f, " at {}:{}", at.file(), at.line())?;
        }
        Ok(())
    }
}

/// Notes a span that `tracer` does not record, unless it records none at all.
#[cold]
#[inline(never)]
pub(crate) fn note(
    tracer: &Tracer,
    reason: Reason,
    family: &'static Family,
    name: &str,
    at: Option<At>,
) {
    if tracer.switches().has(Switches::ON) {
        let at = at.or_else(caller).filter(|at| !is_ours(at.file()));
        let unrecorded = tracer.scope().map_or(&PROCESS, |scope| scope.unrecorded());
        unrecorded.note(reason, family.name(), name, at);
    }
}

/// True for a file of an instrumentation: where its caller is not known, neither is
/// the place.
fn is_ours(file: &str) -> bool {
    let mut parts = file.split(['/', '\\']).peekable();
    while let Some(part) = parts.next() {
        if part.starts_with("instana-") && parts.peek() == Some(&"src") {
            return true;
        }
    }
    false
}

/// Says which places are new.
pub(crate) fn say() {
    let lines = match PROCESS.places.try_lock() {
        Ok(mut places) => lines(&mut places),
        Err(_) => return,
    };
    // Not under the lock: the logger is the application's.
    for line in lines {
        log::tell(format_args!("{line}"));
    }
}

fn lines(places: &mut [Place]) -> Vec<String> {
    let new = places.iter_mut().filter(|place| !place.is_said);
    new.map(|place| {
        place.is_said = true;
        let advice = place.reason.advice();
        format!("{place} is not recorded: {advice} (said once for each place)")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_said_once_and_counted_always() {
        let unrecorded = Unrecorded::new(Patience::None);
        let at = Some(Location::caller());
        for _ in 0..3 {
            unrecorded.note(Reason::ExitOutside, "sdk", "bill\n1", at);
            unrecorded.note(Reason::ExitOutside, "http", "http", at);
            unrecorded.note(Reason::EntryInside, "g.http", "g.http", None);
        }
        let counts = Counts {
            entries_inside: 3,
            exits_outside: 6,
            intermediates_outside: 0,
        };
        assert_eq!(unrecorded.counts(), counts);
        let said = lines(&mut unrecorded.places.lock().unwrap());
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("exit bill 1 at "), "{said:?}");
        assert!(said[0].contains("unrecorded.rs:"), "{said:?}");
        assert!(said[0].contains("instana_tokio::spawn"), "{said:?}");
        assert!(said[2].starts_with("entry g.http is not recorded: it begins inside"));
        unrecorded.note(Reason::ExitOutside, "sdk", "another", at);
        assert_eq!(
            lines(&mut unrecorded.places.lock().unwrap()),
            [] as [&str; 0]
        );
        assert_eq!(unrecorded.places()[0].count, 4);
    }

    #[test]
    fn places_are_bounded_and_so_are_their_names() {
        let mut places = Vec::new();
        let at = Some(Location::caller());
        let families: Vec<&'static str> = (0..2 * MAX_PLACES)
            .map(|n| &*n.to_string().leak())
            .collect();
        for family in families {
            for reason in Reason::ALL {
                add(&mut places, reason, family, &"x".repeat(1_000), at);
            }
        }
        assert_eq!(places.len(), MAX_PLACES);
        assert!(places.iter().all(|place| place.name.len() <= MAX_NAME + 3));
    }

    #[test]
    fn files_of_instrumentation() {
        for (file, is) in [
            ("instrumentation/instana-sqlx/src/pool.rs", true),
            (
                "/c/registry/src/index/instana-redis-1.0.0/src/exit.rs",
                true,
            ),
            ("C:\\x\\instana-kafka\\src\\message.rs", true),
            ("instrumentation/instana-sqlx/tests/spans/main.rs", false),
            ("src/main.rs", false),
            ("/app/instana-shop/lib/x.rs", false),
        ] {
            assert_eq!(is_ours(file), is, "{file}");
        }
    }

    #[test]
    fn lines_are_short_enough_for_the_log() {
        for reason in Reason::ALL {
            let unrecorded = Unrecorded::new(Patience::None);
            let name = "x".repeat(1_000);
            unrecorded.note(reason, "sdk", &name, Some(Location::caller()));
            let said = lines(&mut unrecorded.places.lock().unwrap());
            assert!(said[0].len() < 1_024, "{}", said[0].len());
        }
    }
}
