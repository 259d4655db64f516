//! The sources of the process.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::base::log;
use crate::pipeline::metrics::source::{Source, name_of};

/// Sources at a time.
const MAX_SOURCES: usize = 64;

static SOURCES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Samples `source` once a second from now on, and sends its readings with the metrics
/// of the process, below its name. A name that is taken gets a number.
///
/// It may be called at any time, also before `init`. Of more than 64 sources, the
/// further ones are left out, which the log tells.
///
/// ```
/// use instana::metrics::{self, Readings};
///
/// let pool = metrics::register("pool", |readings: &mut Readings| {
///     readings.gauge("connections", "connections", 3);
///     readings.counter("timeouts", "timeouts", 0);
/// });
/// assert!(pool.is_on());
/// pool.unregister();
/// ```
pub fn register(name: &str, source: impl Source) -> Registration {
    let source = Box::new(source);
    let mut sources = hold();
    let entry = Entry::new(free_name(&sources, name), source);
    let registration = entry.registration.clone();
    if sources.len() < MAX_SOURCES {
        sources.push(entry);
    } else {
        drop(sources);
        registration.switch_off(format_args!("there are {MAX_SOURCES} already"));
    }
    registration
}

/// A source that was [registered](register). Dropping this changes nothing.
#[derive(Clone, Debug)]
pub struct Registration {
    pub(super) id: u64,
    pub(super) name: Arc<str>,
    /// Why it is switched off.
    off: Arc<OnceLock<String>>,
}

impl Registration {
    /// The name that it has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True while the source is sampled, or would be if a tracer ran.
    pub fn is_on(&self) -> bool {
        self.off.get().is_none()
    }

    /// Why the source was switched off, if it was.
    pub fn problem(&self) -> Option<&str> {
        self.off.get().map(String::as_str)
    }

    /// Samples the source no more, and drops it.
    pub fn unregister(self) {
        self.end("it was unregistered");
    }

    /// As [`unregister`](Self::unregister), which is no problem.
    pub(super) fn end(&self, why: &str) {
        // One that was switched off stays so.
        let _ = self.off.set(why.to_owned());
        let mut sources = hold();
        let is_it = |entry: &Entry| entry.registration.id == self.id;
        let at = sources.iter().position(is_it);
        let entry = at.map(|at| sources.swap_remove(at));
        drop(sources);
        // Not under the lock: dropping it is up to others.
        drop(entry);
    }

    /// The source is sampled no more.
    pub(super) fn switch_off(&self, why: fmt::Arguments<'_>) {
        if self.off.set(why.to_string()).is_ok() {
            log::tell(format_args!(
                "the metric source {} is switched off: {why}",
                self.name
            ));
        }
    }
}

/// A registered source, shared with the thread that samples it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) registration: Registration,
    /// Locked while it is sampled only, and only tried: in a forked child it may be
    /// locked for ever.
    pub(super) source: Arc<Mutex<Box<dyn Source>>>,
}

impl Entry {
    pub(super) fn new(name: Arc<str>, source: Box<dyn Source>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let registration = Registration {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name,
            off: Arc::default(),
        };
        Self {
            registration,
            source: Arc::new(Mutex::new(source)),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("registration", &self.registration)
            .finish_non_exhaustive()
    }
}

/// Those that are to be sampled.
pub(super) fn sources() -> Vec<Entry> {
    let sources = hold();
    let on = sources.iter().filter(|entry| entry.registration.is_on());
    on.cloned().collect()
}

/// The lock of the sources.
pub(super) type SourcesGuard = MutexGuard<'static, Vec<Entry>>;

/// Keeps everybody else out.
pub(super) fn hold() -> SourcesGuard {
    SOURCES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn free_name(sources: &[Entry], name: &str) -> Arc<str> {
    let name = name_of(name);
    let is_taken = |name: &str| {
        sources
            .iter()
            .any(|entry| entry.registration.name() == name)
    };
    if !is_taken(name) {
        return Arc::from(name);
    }
    // There are fewer sources than numbers.
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut free = numbered.filter(|name| !is_taken(name));
    Arc::from(free.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::metrics::source::Readings;

    fn silent(_: &mut Readings) {}

    #[test]
    fn each_name_is_there_once_and_free_again_at_the_end() {
        let names = |all: &[Registration]| -> Vec<String> {
            all.iter().map(|one| one.name().to_owned()).collect()
        };
        let name = " registry test ";
        let mut all: Vec<_> = (0..3).map(|_| register(name, silent)).collect();
        let expected = ["registry test", "registry test-2", "registry test-3"];
        assert_eq!(names(&all), expected);
        let other = all[1].clone();
        all.remove(1).unregister();
        assert!(!other.is_on());
        all.push(register(name, silent));
        assert_eq!(all[2].name(), "registry test-2");
        all.into_iter().for_each(Registration::unregister);
        let known = |entry: &Entry| entry.registration.name().starts_with("registry test");
        assert!(!sources().iter().any(known));
    }

    #[test]
    fn what_is_switched_off_says_why_and_is_sampled_no_more() {
        let source = register("registry off", silent);
        let entry = |entry: &Entry| entry.registration.id == source.id;
        let found = sources().into_iter().find(entry).unwrap().registration;
        assert!(source.is_on() && source.problem().is_none());
        found.switch_off(format_args!("first"));
        found.switch_off(format_args!("second"));
        assert_eq!((source.is_on(), source.problem()), (false, Some("first")));
        assert!(!sources().iter().any(entry));
        source.unregister();
    }
}
