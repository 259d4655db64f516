//! Texts with a limit.

use std::fmt::{self, Write as _};

/// `text` on one line: control characters become blanks, and what is longer
/// than `limit` bytes is cut, which three dots show.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut printable = Printable::new(limit);
    let _ = printable.write_str(text);
    printable.line
}

/// Takes text up to a limit: see [`printable`].
pub(super) struct Printable {
    pub(super) line: String,
    limit: usize,
    is_cut: bool,
}

impl Printable {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            line: String::new(),
            limit,
            is_cut: false,
        }
    }
}

impl fmt::Write for Printable {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = text.len().min(self.limit);
        if self.is_cut || self.line.try_reserve(room).is_err() {
            return Err(fmt::Error);
        }
        for character in text.chars() {
            if self.line.len() + character.len_utf8() > self.limit {
                self.line.push_str("...");
                self.is_cut = true;
                return Err(fmt::Error);
            }
            self.line.push(if character.is_control() {
                ' '
            } else {
                character
            });
        }
        Ok(())
    }
}

/// As much of `text` as `limit` bytes hold, in whole characters.
pub(crate) fn prefix(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
