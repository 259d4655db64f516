//! Redaction that changes nothing of its own output.

use crate::secrets::REDACTED;

/// More rounds are not made.
const MOST: usize = 4;

/// Appends what `redact` makes of `text`, of that, and so on, until there is nothing more to
/// hide: what was replaced may show that its neighbours belong to a secret, too. A text that
/// does not come to an end is hidden.
pub(super) fn settled(redact: impl Fn(&str, &mut String), text: &str, out: &mut String) {
    let start = out.len();
    redact(text, out);
    if written(out, start) == text {
        return;
    }
    for _ in 0..MOST {
        let before = written(out, start).to_owned();
        out.truncate(start);
        redact(&before, out);
        if written(out, start) == before {
            return;
        }
    }
    out.truncate(start);
    out.push_str(REDACTED);
}

fn written(out: &str, start: usize) -> &str {
    out.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(redact: impl Fn(&str, &mut String), text: &str) -> String {
        let mut out = "before ".to_owned();
        settled(redact, text, &mut out);
        out
    }

    #[test]
    fn rounds_are_made_until_nothing_changes() {
        let shorter = |text: &str, out: &mut String| out.push_str(text.trim_end_matches("ab"));
        let one = |text: &str, out: &mut String| {
            out.push_str(text.strip_suffix('x').unwrap_or(text));
        };
        assert_eq!(applied(shorter, "xabab"), "before x");
        assert_eq!(applied(one, "axxx"), "before a");
        assert_eq!(applied(one, "a"), "before a");
        assert_eq!(applied(one, "axxxxxxx"), "before <redacted>");
    }
}
