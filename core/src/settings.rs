//! Settings that can change while the process runs: what the agent hands out
//! joins what the environment and the code said.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::secrets::Matcher;

/// How long a timed poll may be without being told of.
pub(crate) const SLOW_POLL: Duration = Duration::from_millis(100);

/// One state of the settings. Each has an id of its own, so that a reader can
/// keep what it derived from one, and notice the next by its id.
#[derive(Debug)]
pub struct Settings {
    id: u64,
    extra_headers: Vec<String>,
    pub(crate) secrets: Matcher,
    pub(crate) service: Option<String>,
    switches: Switches,
    /// Milliseconds after which a timed poll is told of.
    slow_poll: u32,
}

impl Settings {
    pub(crate) fn new(
        secrets: Matcher,
        extra_headers: Vec<String>,
        service: Option<String>,
        switches: Switches,
        slow_poll: Duration,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            extra_headers,
            secrets,
            service,
            switches,
            slow_poll: u32::try_from(slow_poll.as_millis()).unwrap_or(u32::MAX),
        }
    }

    /// Differs from the id of every other state in this process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Names of HTTP headers to capture, in lower case.
    pub fn extra_headers(&self) -> &[String] {
        &self.extra_headers
    }
}

/// Settings that the hot path asks for, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches(u32);

impl Switches {
    /// Spans are recorded at all.
    pub(crate) const ON: Self = Self(1);
    /// Exits without an entry above them are recorded.
    pub(crate) const ROOT_EXITS: Self = Self(1 << 1);
    /// Entries continue from `traceparent`.
    pub(crate) const W3C_CORRELATION: Self = Self(1 << 2);
    /// Exits write `traceparent` and `tracestate`.
    pub(crate) const W3C_PROPAGATION: Self = Self(1 << 3);

    /// The polls of entries are timed.
    pub(crate) const POLL_TIMING: Self = Self(1 << 4);

    #[inline]
    pub(crate) const fn has(self, switch: Self) -> bool {
        self.0 & switch.0 != 0
    }

    pub(crate) const fn set(self, switch: Self, on: bool) -> Self {
        Self(if on {
            self.0 | switch.0
        } else {
            self.0 & !switch.0
        })
    }
}

/// The lock of [`Live`] settings.
pub(crate) type LiveGuard<'a> = MutexGuard<'a, Option<Arc<Settings>>>;

/// The settings in force.
#[derive(Debug)]
pub(crate) struct Live {
    switches: AtomicU32,
    slow_poll: AtomicU32,
    id: AtomicU64,
    settings: Mutex<Option<Arc<Settings>>>,
}

impl Live {
    /// Nothing is recorded.
    pub(crate) const fn off() -> Self {
        Self {
            switches: AtomicU32::new(0),
            slow_poll: AtomicU32::new(0),
            id: AtomicU64::new(0),
            settings: Mutex::new(None),
        }
    }

    #[inline]
    pub(crate) fn switches(&self) -> Switches {
        Switches(self.switches.load(Ordering::Relaxed))
    }

    /// A timed poll of this length is told of.
    pub(crate) fn slow_poll(&self) -> Duration {
        Duration::from_millis(self.slow_poll.load(Ordering::Relaxed).into())
    }

    /// The id of the settings in force; 0 while there are none.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Acquire)
    }

    pub(crate) fn get(&self) -> Option<Arc<Settings>> {
        self.settings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn replace(&self, settings: Settings) {
        let (switches, id) = (settings.switches, settings.id);
        self.slow_poll.store(settings.slow_poll, Ordering::Relaxed);
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(settings));
        self.id.store(id, Ordering::Release);
        self.switches.store(switches.0, Ordering::Relaxed);
    }

    /// Keeps everybody else out.
    pub(crate) fn hold(&self) -> LiveGuard<'_> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is recorded any more.
    pub(crate) fn switch_off(&self) {
        self.switches.store(0, Ordering::Relaxed);
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(
            Matcher::default(),
            Vec::new(),
            None,
            Switches::default(),
            SLOW_POLL,
        )
    }
}
