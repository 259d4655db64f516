//! The settings that the hot path asks for, in one word.

use crate::base::alloc;
use crate::config::{CapturedLogs, Config, KafkaHeaderFormat};

/// Settings that the hot path asks for, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches(u32);

impl Switches {
    /// From the number that [`bits`](Self::bits) made of them.
    #[inline]
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// One number for all.
    #[inline]
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

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

    pub(crate) fn of(config: &Config) -> Self {
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

    /// The switches of [`AT_START`](Self::AT_START), as they stand in flags of contexts.
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

    pub(crate) const fn set(self, switch: Self, on: bool) -> Self {
        Self(if on {
            self.0 | switch.0
        } else {
            self.0 & !switch.0
        })
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
