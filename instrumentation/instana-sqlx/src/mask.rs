//! Statements without literals.

/// Bytes of a statement that are looked at: more than is sent, comments and literals
/// aside.
const MOST: usize = 64 * 1024;

/// What differs between the languages of databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `"a"` is a literal, and `#` begins a comment.
    MySql,
    /// `"a"` is a name.
    Standard,
}

/// `statement` with `?` for each literal, and without comments.
///
/// Whether a quote behind a backslash ends a literal depends on the server's settings: all
/// from such a literal to the last quote becomes one.
pub(crate) fn mask(dialect: Dialect, statement: &str) -> String {
    let mut masked = String::with_capacity(statement.len().min(4 * 1024));
    let mut rest = beginning(statement);
    while let Some(first) = rest.chars().next() {
        let (len, shown) = match first {
            '\'' => (quoted(rest, first), Shown::Literal),
            '"' if dialect == Dialect::MySql => (quoted(rest, first), Shown::Literal),
            '"' | '`' => (quoted(rest, first), Shown::Kept),
            '-' if rest.starts_with("--") => (through(rest, "\n"), Shown::Comment),
            '#' if dialect == Dialect::MySql => (through(rest, "\n"), Shown::Comment),
            '/' if rest.starts_with("/*") => (through(rest, "*/"), Shown::Comment),
            '$' if dollars(rest).is_some() => (dollars(rest).unwrap_or(1), Shown::Literal),
            '$' | '?' | ':' | '@' => (1 + words(after(rest, 1)), Shown::Kept),
            '0'..='9' => (number(rest), Shown::Literal),
            _ if is_word(first) => word(rest),
            _ => (first.len_utf8(), Shown::Kept),
        };
        match shown {
            Shown::Comment => masked.push(' '),
            Shown::Kept => masked.push_str(rest.get(..len).unwrap_or_default()),
            Shown::Literal => masked.push('?'),
            Shown::Prefix => {}
        }
        rest = after(rest, len);
    }
    masked
}

/// How a part of the statement is shown.
enum Shown {
    /// As a space.
    Comment,
    Kept,
    /// As a question mark.
    Literal,
    /// Not: the literal behind it is.
    Prefix,
}

fn beginning(statement: &str) -> &str {
    let mut end = MOST.min(statement.len());
    while !statement.is_char_boundary(end) {
        end -= 1;
    }
    statement.get(..end).unwrap_or_default()
}

fn after(text: &str, len: usize) -> &str {
    text.get(len..).unwrap_or_default()
}

/// The length of what begins with a quote. Two quotes are one inside.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(next) = after(text, at).find(quote) {
        let end = at + next;
        let is_escaped = quote != '`'
            && after(text, at)
                .get(..next)
                .is_some_and(|t| t.ends_with('\\'));
        if is_escaped {
            return text.rfind(quote).map_or(text.len(), |last| last + 1);
        }
        at = end + 1;
        if !after(text, at).starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// The length of a comment that ends with `end`.
fn through(text: &str, end: &str) -> usize {
    let at = after(text, 2).find(end);
    at.map_or(text.len(), |at| 2 + at + end.len())
}

/// The length of `$tag$…$tag$`, if that is one.
fn dollars(text: &str) -> Option<usize> {
    let tag = 1 + words(after(text, 1));
    let opening = text.get(..=tag)?;
    let is_one =
        opening.ends_with('$') && !after(opening, 1).starts_with(|c: char| c.is_ascii_digit());
    is_one.then(|| {
        let end = after(text, opening.len()).find(opening);
        end.map_or(text.len(), |end| end + 2 * opening.len())
    })
}

/// The length of a number.
fn number(text: &str) -> usize {
    let mut len = 0;
    let mut before = ' ';
    for next in text.chars() {
        let has_exponent = matches!(before, 'e' | 'E') && !text.starts_with("0x");
        if !(is_word(next) || next == '.' || has_exponent && matches!(next, '+' | '-')) {
            break;
        }
        len += next.len_utf8();
        before = next;
    }
    len
}

fn word(text: &str) -> (usize, Shown) {
    let len = words(text);
    let is_prefix = len == 1
        && text.starts_with(['b', 'B', 'e', 'E', 'n', 'N', 'x', 'X'])
        && after(text, 1).starts_with('\'');
    (
        len,
        if is_prefix {
            Shown::Prefix
        } else {
            Shown::Kept
        },
    )
}

/// The length of the name at the beginning.
fn words(text: &str) -> usize {
    text.find(|c| !is_word(c)).unwrap_or(text.len())
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_masked_and_names_are_not() {
        for (statement, expected) in [
            ("SELECT 1", "SELECT ?"),
            ("SELECT a1, t2.b FROM t2", "SELECT a1, t2.b FROM t2"),
            ("a = 'x' AND b = 'it''s' AND c", "a = ? AND b = ? AND c"),
            ("a=-1.5e-3+0xFF*1E+2", "a=-?+?*?"),
            (
                "a = $1 OR b = ?2 OR c = :id::int OR d = @v",
                "a = $1 OR b = ?2 OR c = :id::int OR d = @v",
            ),
            ("\"weird '1\" = 'x'", "\"weird '1\" = ?"),
            ("`a'b` = 'x'", "`a'b` = ?"),
            (
                "a = $$it's$$ AND b = $q$x $$ y$q$ AND c",
                "a = ? AND b = ? AND c",
            ),
            ("E'a' X'ff' b'1' LIKE'q'", "? ? ? LIKE?"),
            ("a -- it's\n= /* 'x' */ 2", "a  =   ?"),
            ("a # b", "a # b"),
            ("IN ('ä', 'ö', 3)", "IN (?, ?, ?)"),
            ("größe = '漢字'", "größe = ?"),
            ("'unfinished", "?"),
            ("/* unfinished", " "),
            ("$$unfinished", "?"),
            ("$", "$"),
            ("", ""),
        ] {
            assert_eq!(mask(Dialect::Standard, statement), expected, "{statement}");
        }
        let statement = "a = \"x\" # it's\n AND b = 'y'";
        assert_eq!(mask(Dialect::MySql, statement), "a = ?   AND b = ?");
    }

    #[test]
    fn what_may_be_an_escape_hides_more_and_never_less() {
        for statement in [
            r"a = 'x\' AND 'secret'",
            r"a = 'x\'secret' AND b = 'secret'",
        ] {
            for dialect in [Dialect::MySql, Dialect::Standard] {
                assert_eq!(mask(dialect, statement), "a = ?", "{statement}");
            }
        }
    }

    #[test]
    fn a_long_statement_is_looked_at_in_part() {
        let statement = format!("SELECT '{}', 'secret'", "ä".repeat(500_000));
        assert_eq!(mask(Dialect::Standard, &statement), "SELECT ?");
        let statement = "a, ".repeat(500_000);
        assert_eq!(mask(Dialect::Standard, &statement).len(), MOST);
    }
}
