//! Settings that can change while the process runs: what the agent hands out
//! joins what the environment and the code said.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::alloc;
use crate::config::{CapturedLogs, Config, KafkaHeaderFormat, StackTraces};
use crate::rules::Rules;
use crate::secrets::{self, Matcher};
use crate::stack::Policy;

/// One state of the settings. Each has an id of its own, so that a reader can
/// keep what it derived from one, and notice the next by its id.
#[derive(Debug)]
pub(crate) struct Settings {
    id: u64,
    pub(crate) config: Config,
    pub(crate) rules: Option<Arc<Rules>>,
    pub(crate) stacks: Policy,
    switches: Switches,
}

impl Settings {
    /// With spans recorded, unless all are disabled.
    pub(crate) fn new(config: Config) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let rules = Rules::of(&config);
        let stacks = Policy::of(&config);
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
    /// Some statuses from 400 to 499 are errors of exits.
    pub(crate) const CLIENT_ERRORS: Self = Self(1 << 4);
    /// The polls of entries are timed.
    pub(crate) const POLL_TIMING: Self = Self(1 << 5);
    /// Some spans are not recorded.
    pub(crate) const RULES: Self = Self(1 << 6);
    /// Some exits have a stack from their start.
    pub(crate) const STACKS: Self = Self(1 << 7);
    /// Some exits have a stack if they fail.
    pub(crate) const ERROR_STACKS: Self = Self(1 << 8);
    /// Kafka records carry trace context as text.
    const KAFKA_STRING: Self = Self(1 << 9);
    /// Kafka records carry trace context in the older form.
    const KAFKA_BINARY: Self = Self(1 << 10);
    /// What is allocated in the polls of entries is counted.
    const ALLOCATIONS: Self = Self(1 << 11);
    /// A call that was given up is no error.
    pub(crate) const CANCELLED_IS_FINE: Self = Self(1 << 12);
    /// Something is noted of the polls of entries.
    pub(crate) const POLLS: Self = Self(Self::POLL_TIMING.0 | Self::ALLOCATIONS.0);
    /// What is looked at when a span starts below another. Contexts carry it
    /// along in these bits of their flags, so that it costs nothing there.
    pub(crate) const AT_START: Self = Self(Self::RULES.0 | Self::STACKS.0);
    /// Where the three bits of [`captured_logs`](Self::captured_logs) are: all 0
    /// while spans are not recorded.
    const CAPTURED_LOGS: u32 = 29;

    fn of(config: &Config) -> Self {
        let client_errors = config.client_errors || !config.client_error_statuses.is_empty();
        Self::default()
            .set(Self::ON, !config.disable.is_everything())
            .set(Self::ROOT_EXITS, config.allow_root_exits)
            .set(Self::W3C_CORRELATION, config.w3c_correlation)
            .set(Self::W3C_PROPAGATION, config.w3c_propagation)
            .set(Self::CLIENT_ERRORS, client_errors)
            .set(Self::POLL_TIMING, config.poll_timing)
            .set(Self::ALLOCATIONS, alloc::are_threads_metered())
            .set(Self::CANCELLED_IS_FINE, !config.cancelled_exits)
            .with_kafka(config.kafka_correlation, config.kafka_header_format)
            .with_captured_logs(config.captured_logs)
    }

    #[inline]
    pub(crate) const fn has(self, switch: Self) -> bool {
        self.0 & switch.0 != 0
    }

    /// Those of [`AT_START`](Self::AT_START), as they stand in flags of contexts.
    #[inline]
    pub(crate) const fn at_start(self) -> u32 {
        self.0 & Self::AT_START.0
    }

    /// From which level on log lines are recorded.
    #[inline]
    pub(crate) fn captured_logs(self) -> CapturedLogs {
        let number = self.0 >> Self::CAPTURED_LOGS;
        let logs = CapturedLogs::ALL.get(number as usize);
        logs.copied().unwrap_or(CapturedLogs::Off)
    }

    fn with_captured_logs(self, logs: CapturedLogs) -> Self {
        if !self.has(Self::ON) {
            return self;
        }
        let number = CapturedLogs::ALL.iter().position(|other| *other == logs);
        Self(self.0 | (number.unwrap_or_default() as u32) << Self::CAPTURED_LOGS)
    }

    /// In which form Kafka records carry trace context, if they do.
    pub(crate) fn kafka_headers(self) -> Option<KafkaHeaderFormat> {
        match (self.has(Self::KAFKA_STRING), self.has(Self::KAFKA_BINARY)) {
            (true, true) => Some(KafkaHeaderFormat::Both),
            (true, false) => Some(KafkaHeaderFormat::String),
            (false, true) => Some(KafkaHeaderFormat::Binary),
            (false, false) => None,
        }
    }

    fn with_kafka(self, on: bool, format: KafkaHeaderFormat) -> Self {
        self.set(
            Self::KAFKA_STRING,
            on && format != KafkaHeaderFormat::Binary,
        )
        .set(
            Self::KAFKA_BINARY,
            on && format != KafkaHeaderFormat::String,
        )
    }

    const fn set(self, switch: Self, on: bool) -> Self {
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
        let slow_poll = settings.config.slow_poll.as_millis();
        let slow_poll = u32::try_from(slow_poll).unwrap_or(u32::MAX);
        self.slow_poll.store(slow_poll, Ordering::Relaxed);
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(settings));
        self.id.store(id, Ordering::Release);
        self.switches.store(switches.0, Ordering::Relaxed);
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
    pub(crate) fn hold(&self) -> LiveGuard<'_> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is recorded any more.
    pub(crate) fn switch_off(&self) {
        self.switches.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_of_captured_logs_is_part_of_the_switches() {
        assert_eq!(Switches::default().captured_logs(), CapturedLogs::Off);
        let off = Switches::default().with_captured_logs(CapturedLogs::Trace);
        assert_eq!(off, Switches::default());
        for logs in CapturedLogs::ALL {
            let switches = Switches::ON.with_captured_logs(logs);
            assert_eq!(switches.captured_logs(), logs);
            assert!(switches.has(Switches::ON) && !switches.has(Switches::CLIENT_ERRORS));
        }
    }

    #[test]
    fn the_form_of_kafka_headers_is_part_of_the_switches() {
        assert_eq!(Switches::default().kafka_headers(), None);
        for format in [
            KafkaHeaderFormat::Binary,
            KafkaHeaderFormat::Both,
            KafkaHeaderFormat::String,
        ] {
            let switches = Switches::ON.with_kafka(true, format);
            assert_eq!(switches.kafka_headers(), Some(format));
            let switches = switches.with_kafka(false, format);
            assert_eq!(switches, Switches::ON);
        }
    }
}
