//! A setting that was not understood.

use std::fmt;

use crate::secrets::{self, Matcher};

/// Characters of a value that a message shows.
const SHOWN: usize = 64;

/// A value that cannot be used, for one log line. It never stops the tracer:
/// the next source is used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Problem {
    /// The environment variable, or the setter of the builder.
    pub(crate) variable: &'static str,
    /// The value without credentials, cut to 64 characters.
    pub(crate) value: String,
    /// What the variable accepts.
    pub(crate) accepted: &'static str,
    /// What is in force instead.
    pub(crate) using: String,
}

impl Problem {
    pub(super) fn new(
        variable: &'static str,
        value: &str,
        accepted: &'static str,
        using: String,
    ) -> Self {
        let mut safe = String::new();
        secrets::text(&Matcher::default(), value, &mut safe);
        let mut shown: String = safe.chars().take(SHOWN).collect();
        if shown.len() < safe.len() {
            shown.push('…');
        }
        Self {
            variable,
            value: shown,
            accepted,
            using,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variable,
            value,
            accepted,
            using,
        } = self;
        write!(f, "{variable}={value:?} is not {accepted}; using {using}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_without_credentials_and_control_characters() {
        let value = format!("http://u:hunter2@h\n{}", "x".repeat(99));
        let problem = Problem::new("INSTANA_X", &value, "a host", "127.0.0.1".to_owned());
        let text = problem.to_string();
        assert!(text.starts_with(r#"INSTANA_X="http://<redacted>:<redacted>@h\nxxx"#));
        assert!(text.ends_with("x…\" is not a host; using 127.0.0.1"));
        assert!(!text.contains("hunter2"));
    }
}
