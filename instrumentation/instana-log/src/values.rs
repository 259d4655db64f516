//! Values of a line.

use std::error::Error;
use std::fmt;

use crate::capture::{Said, write_to};

/// Errors behind an error that are told.
const MAX_SOURCES: usize = 8;

impl Said {
    /// Keeps a value.
    pub(crate) fn value(&mut self, key: &str, value: fmt::Arguments<'_>) {
        if !self.values.is_empty() {
            self.values.push_str(" ");
        }
        write_to(&mut self.values, format_args!("{key}={value}"));
    }

    /// Keeps an error and its sources.
    pub(crate) fn error(&mut self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        for _ in 0..=MAX_SOURCES {
            let Some(error) = next else { break };
            if !self.error.is_empty() {
                self.error.push_str(": ");
            }
            write_to(&mut self.error, format_args!("{error}"));
            next = error.source();
        }
    }
}
