//! Values of a line.

use std::error::Error;
use std::fmt;

use crate::capture::{LIMIT, Said, write_to};
use crate::text::Text;

/// The largest number of sources of an error that are recorded.
const MAX_SOURCES: usize = 8;

impl Said {
    /// Keeps a value.
    pub(crate) fn value(&mut self, key: &str, value: fmt::Arguments<'_>) {
        if !self.values.is_empty() {
            self.values.push_str(" ");
        }
        write_to(&mut self.values, format_args!("{key}="));
        let mut text = Text::new(LIMIT);
        write_to(&mut text, value);
        // Quoted if it could seem to end too early: if its key is secret, all of it has
        // to be // hidden.
        let is_one_word =
            |c: char| !c.is_whitespace() && !matches!(c, ',' | ';' | '&' | '"' | '\'');
        if text.as_str().chars().all(is_one_word) {
            self.values.push_str(text.as_str());
        } else {
            write_to(&mut self.values, format_args!("{:?}", text.as_str()));
        }
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
