//! Levels of log lines.

use std::fmt;

use crate::base::log::Level;
use crate::config::Entry;
use crate::config::env::Environment;
use crate::config::key::Variable;
use crate::config::kind::{Kind, first_usable};
use crate::config::reader::{Place, Reader};

/// Stronger than any level.
const DEBUG: &str = "INSTANA_DEBUG";

/// The level of the tracer's own lines.
pub(crate) struct LogLevel;

/// From which level on the application's log lines become spans.
pub(crate) struct Capture;

/// From which level on log lines of the application are recorded as spans, as in
/// Instana's Node.js tracer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CapturedLogs {
    /// All lines.
    Trace,
    /// Lines of level debug and above.
    Debug,
    /// Lines of level info and above.
    Info,
    /// Warnings and errors.
    #[default]
    Warn,
    /// Errors.
    Error,
    /// None.
    Off,
}

impl CapturedLogs {
    /// All of them, the one that captures least first.
    pub(crate) const ALL: [Self; 6] = [
        Self::Off,
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];
}

impl Kind for LogLevel {
    type Value = Level;

    const ACCEPTED: &'static str = "a log level (error, warn, info or debug)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Level> {
        Level::parse(text)
    }

    fn show(value: &Level) -> String {
        value.to_string()
    }

    /// Any text in `INSTANA_DEBUG` is the debug level.
    fn from_environment(
        variables: &[Variable],
        environment: &Environment,
        reader: &mut Reader<'_>,
    ) -> Option<Entry<Level>> {
        if environment.get(DEBUG).is_some() {
            return Some(Entry::new(Level::Debug, Place::named(DEBUG).origin()));
        }
        first_usable::<Self>(variables, environment, reader)
    }
}

impl Kind for Capture {
    type Value = CapturedLogs;

    const ACCEPTED: &'static str = "a log level (trace, debug, info, warn, error or off)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<CapturedLogs> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "trace" => CapturedLogs::Trace,
            "debug" => CapturedLogs::Debug,
            "info" => CapturedLogs::Info,
            "warn" | "warning" => CapturedLogs::Warn,
            // There is nothing above an error here.
            "error" | "fatal" => CapturedLogs::Error,
            "off" => CapturedLogs::Off,
            _ => return None,
        })
    }

    fn show(value: &CapturedLogs) -> String {
        value.to_string()
    }
}

impl fmt::Display for CapturedLogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Off => "off",
        })
    }
}
