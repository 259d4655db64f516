//! Settings that can change while the process runs: what the agent hands out
//! joins what the environment and the code said.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::config::Switches;
use crate::config::{Config, StackTraces};
use crate::policy::rules::Rules;
use crate::policy::stacks::Stacks;
use crate::secrets;
use crate::secrets::Matcher;

/// One state of the settings. Each has an id of its own, so that a reader can
/// keep what it derived from one, and notice the next by its id.
#[derive(Debug)]
pub(crate) struct Settings {
    id: u64,
    pub(crate) config: Config,
    pub(crate) rules: Option<Arc<Rules>>,
    pub(crate) stacks: Stacks,
    switches: Switches,
}

impl Settings {
    /// With spans recorded, unless all are disabled.
    pub(crate) fn new(config: Config) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let rules = Rules::of(&config);
        let stacks = Stacks::of(&config);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            switches: Switches::of(&config)
                .set(Switches::RULES, rules.is_some())
                .set(Switches::STACKS, stacks.has(StackTraces::All))
                .set(Switches::ERROR_STACKS, stacks.has(StackTraces::Error)),
            rules,
            stacks,
            config,
        }
    }

    /// Differs from the id of every other state in this process.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether a status from 400 to 499 is an error of the exit that was answered
    /// with it (as in Node.js; the list wins over the switch).
    pub(crate) fn is_client_error(&self, status: u16) -> bool {
        let listed = &self.config.client_error_statuses;
        if listed.is_empty() {
            return self.config.client_errors && (400..500).contains(&status);
        }
        listed.contains(&status)
    }
}

/// The lock of [`LiveSettings`] settings.
pub(crate) type LiveSettingsGuard<'a> = MutexGuard<'a, Option<Arc<Settings>>>;

/// The settings in force.
#[derive(Debug)]
pub(crate) struct LiveSettings {
    switches: AtomicU32,
    slow_poll: AtomicU32,
    id: AtomicU64,
    settings: Mutex<Option<Arc<Settings>>>,
}

impl LiveSettings {
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
        Switches::from_bits(self.switches.load(Ordering::Relaxed))
    }

    /// A timed poll of this length is logged.
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
        let slow_poll = settings.config.slow_poll.as_millis();
        let slow_poll = u32::try_from(slow_poll).unwrap_or(u32::MAX);
        self.slow_poll.store(slow_poll, Ordering::Relaxed);
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(settings));
        self.id.store(id, Ordering::Release);
        self.switches.store(switches.bits(), Ordering::Relaxed);
    }

    /// `text` without what the settings in force call secret.
    pub(crate) fn redacted(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        match self.get() {
            Some(settings) => secrets::text(&settings.config.secrets, text, &mut out),
            None => secrets::text(&Matcher::default(), text, &mut out),
        }
        out
    }

    /// Keeps everybody else out.
    pub(crate) fn hold(&self) -> LiveSettingsGuard<'_> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is recorded any more.
    pub(crate) fn switch_off(&self) {
        self.switches.store(0, Ordering::Relaxed);
    }
}
