use std::fmt;

/// Text up to a limit in bytes.
#[derive(Debug)]
pub(crate) struct Text {
    text: String,
    limit: usize,
    is_full: bool,
}

impl Text {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            is_full: false,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Appends what fits.
    pub(crate) fn push_str(&mut self, part: &str) {
        if self.is_full {
            return;
        }
        let room = self.limit - self.text.len();
        if part.len() <= room {
            self.text.push_str(part);
            return;
        }
        self.is_full = true;
        let is_end = |end: &usize| part.is_char_boundary(*end);
        let end = (0..=room).rev().find(is_end).unwrap_or_default();
        self.text.push_str(part.get(..end).unwrap_or_default());
    }
}

impl fmt::Write for Text {
    /// Never fails: a `Display` would not expect it.
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.push_str(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_at_a_character() {
        for (parts, expected) in [
            (&["ab", "cd"][..], "abcd"),
            (&["ab", "cde"], "abcd"),
            (&["ab", "céx", "y"], "abc"),
            (&["abcde", "f"], "abcd"),
            (&["abcd", "", "e"], "abcd"),
            (&[""], ""),
        ] {
            let mut text = Text::new(4);
            for part in parts {
                text.push_str(part);
            }
            assert_eq!(text.as_str(), expected, "{parts:?}");
        }
    }
}
