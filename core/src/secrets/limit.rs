//! Texts that are longer than what is sent of them.

/// Bytes that are kept of a text beyond its limit until it is redacted: what
/// makes a credential of the end of a text may stand behind it.
const MARGIN: u16 = 1_024;

/// How a text of which a part is missing is read: as if it went on in the way
/// that hides most of its end. An `@` makes user information of what may be
/// some, a `;` ends a value with blanks in it.
const WORST: &str = "@;";

/// Bytes that are kept of a statement, whatever its limit in characters: a span
/// has other attributes, too.
pub(crate) const STATEMENT_BYTES: usize = 12 * 1_024;

/// Bytes to keep of a text that is redacted later, and cut to `limit` then; or
/// characters of a statement.
#[inline]
pub(crate) const fn kept(limit: u16) -> u16 {
    limit.saturating_add(MARGIN)
}

/// What is sent of a text: so many bytes, of which the last are these where there
/// was more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    bytes: usize,
    characters: Option<u16>,
    ending: &'static str,
    kept: usize,
}

impl Limit {
    /// Cut, in whole characters.
    #[inline]
    pub(crate) const fn bare(bytes: u16) -> Self {
        Self {
            bytes: bytes as usize,
            characters: None,
            ending: "",
            kept: kept(bytes) as usize,
        }
    }

    /// The same, with three dots at the end.
    #[inline]
    pub(crate) const fn dotted(bytes: u16) -> Self {
        Self {
            ending: "...",
            ..Self::bare(bytes)
        }
    }

    /// Cut to so many characters.
    #[inline]
    pub(crate) const fn characters(characters: u16) -> Self {
        Self {
            bytes: STATEMENT_BYTES,
            characters: Some(characters),
            ending: "",
            kept: STATEMENT_BYTES,
        }
    }

    /// Writes `text`, of which [`kept`] bytes were kept, with `redact` into the
    /// empty `out`, and cuts what comes out.
    pub(crate) fn write(self, redact: impl Fn(&str, &mut String), text: &str, out: &mut String) {
        if self.is_part(text) {
            redact(&[text, WORST].concat(), out);
            let end = out.trim_end_matches(|c| WORST.contains(c)).len();
            out.truncate(end);
            self.cut(out, true);
        } else {
            redact(text, out);
            self.cut(out, false);
        }
    }

    /// As [`write`](Self::write), with a `redact` that knows what to do with a part.
    pub(crate) fn write_part(
        self,
        redact: impl Fn(&str, bool, &mut String),
        text: &str,
        out: &mut String,
    ) {
        let is_part = self.is_part(text);
        redact(text, is_part, out);
        self.cut(out, is_part);
    }

    /// Whether there was more than `text`. Up to three bytes of the character at the cut are
    /// missing, too.
    fn is_part(self, text: &str) -> bool {
        text.len() + 4 > self.kept || self.has_all_characters_kept(text)
    }

    fn cut(self, out: &mut String, is_part: bool) {
        if is_part || out.len() > self.bytes {
            let most = self.bytes.saturating_sub(self.ending.len()).min(out.len());
            let end = (0..=most).rev().find(|end| out.is_char_boundary(*end));
            out.truncate(end.unwrap_or_default());
            out.push_str(self.ending);
        }
        if let Some(characters) = self.characters {
            let end = out.char_indices().nth(usize::from(characters));
            out.truncate(end.map_or(out.len(), |(end, _)| end));
        }
    }

    /// Whether there may have been more characters.
    fn has_all_characters_kept(self, text: &str) -> bool {
        self.characters.is_some_and(|characters| {
            let kept = usize::from(kept(characters));
            text.len() >= kept && text.chars().nth(kept - 1).is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{Matcher, dsn, query, text, url};

    #[test]
    fn what_is_cut_off_does_not_show_what_stands_before_it() {
        let matcher = Matcher::default();
        let write = |redact: fn(&Matcher, &str, &mut String), whole: &str, limit: u16| {
            let end = whole.len().min(usize::from(kept(limit)));
            let mut out = String::new();
            let raw = whole.get(..end).unwrap();
            Limit::bare(limit).write(|text, out| redact(&matcher, text, out), raw, &mut out);
            out
        };
        let long = "x".repeat(5_000);
        for (redact, whole, expected) in [
            (
                text as fn(&Matcher, &str, &mut String),
                format!("to http://u:{long}@h"),
                "to http://<redacted>:<redacted>",
            ),
            (text, format!("Pwd=a {long};Uid=x"), "Pwd=<redacted>"),
            (text, format!("key=\"a {long}\""), "key=\"<redacted>"),
            (
                dsn,
                format!("postgres://u:{long}@h/d"),
                "postgres://<redacted>:<redacted>",
            ),
            (dsn, format!("u:p@{long}@h/d"), "<redacted>:<redacted>"),
            (
                url,
                format!("http://u:a/{long}@h/d"),
                "http://<redacted>:<redacted>",
            ),
            (query, format!("to=http://u:{long}@h"), "to=<redacted>"),
            (
                query,
                format!("to=http%3A%2F%2Fu:{long}@h"),
                "to=<redacted>",
            ),
        ] {
            assert_eq!(write(redact, &whole, 200), expected);
        }
        let plain = write(text, &format!("cannot reach {long}"), 20);
        assert_eq!(plain, "cannot reach xxxxxxx");
    }

    #[test]
    fn texts_are_cut_after_they_were_redacted() {
        let cut = |value: &str, limit: Limit| {
            let mut out = String::new();
            limit.write(|text, out| out.push_str(text), value, &mut out);
            out
        };
        let write = |value: &str, bytes: u16| cut(value, Limit::bare(bytes));
        assert_eq!(write("aäö", 2), "a", "half an umlaut is left out");
        assert_eq!(write("äö", 4), "äö");
        assert_eq!(write("äö", 0), "");
        assert_eq!(write("a;@", 9), "a;@", "nothing is missing");
        assert_eq!(cut("abcdef", Limit::dotted(6)), "abcdef");
        assert_eq!(cut("abécdef", Limit::dotted(6)), "ab...");
        let part = "a".repeat(usize::from(kept(6)));
        assert_eq!(cut(&part, Limit::dotted(6)), "aaa...");
        assert_eq!(kept(u16::MAX), u16::MAX);
    }
}
