//! Texts that are longer than what is sent of them.

/// Bytes that are kept of a text beyond its limit until it is redacted: what
/// makes a credential of the end of a text may stand behind it.
const MARGIN: u16 = 1_024;

/// How a text of which a part is missing is read: as if it went on in the way
/// that hides most of its end. An `@` makes user information of what may be
/// some, a `;` ends a value with blanks in it.
const WORST: &str = "@;";

/// Bytes to keep of a text that is redacted later, and cut to `limit` then.
#[inline]
pub(crate) const fn kept(limit: u16) -> u16 {
    limit.saturating_add(MARGIN)
}

/// Writes `text`, of which [`kept`] bytes were kept, with `redact` into the
/// empty `out`, and cuts what comes out to `limit` bytes, in whole characters.
pub(crate) fn limited(
    redact: impl Fn(&str, &mut String),
    text: &str,
    limit: u16,
    out: &mut String,
) {
    // Up to three bytes of the character at the cut are missing, too.
    if text.len() + 4 > usize::from(kept(limit)) {
        redact(&[text, WORST].concat(), out);
        let end = out.trim_end_matches(|c| WORST.contains(c)).len();
        out.truncate(end);
    } else {
        redact(text, out);
    }
    let limit = usize::from(limit);
    if out.len() > limit {
        let end = (0..=limit).rev().find(|end| out.is_char_boundary(*end));
        out.truncate(end.unwrap_or_default());
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
            limited(
                |text, out| redact(&matcher, text, out),
                raw,
                limit,
                &mut out,
            );
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
        let write = |value: &str, limit: u16| {
            let mut out = String::new();
            limited(|text, out| out.push_str(text), value, limit, &mut out);
            out
        };
        assert_eq!(write("aäö", 2), "a", "half an umlaut is left out");
        assert_eq!(write("äö", 4), "äö");
        assert_eq!(write("äö", 0), "");
        assert_eq!(write("a;@", 9), "a;@", "nothing is missing");
        assert_eq!(kept(u16::MAX), u16::MAX);
    }
}
