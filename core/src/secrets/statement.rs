//! Statements of databases without the passwords in them.

use super::key::is_secret_or_password;
use super::matcher::Matcher;
use super::redact::text;
use super::seek::run;
use super::{REDACTED, steps};

/// Words between a secret name and its literal that leave it one:
/// `password NOT IN ('a')`, `SET api_key TO 'a'`.
const OPERATORS: [&str; 9] = [
    "as", "between", "by", "default", "ilike", "in", "is", "like", "not",
];

/// Longer names are no names of columns.
const MAX_NAME: usize = 128;

/// Writes a statement for `stmt` and the like. A literal that belongs to a secret
/// name (`password = 'a'`, `PASSWORD 'a'`, `api_key IN ('a', 'b')`,
/// `password = crypt('a', 'b')`) or to `IDENTIFIED` is replaced, all other
/// literals and comments are free text. Numbers, parameters and literals whose
/// column stands elsewhere (`VALUES ('a')`) are kept.
///
/// Where a quote behind a backslash may or may not end a literal, all from its
/// beginning on is replaced.
pub(crate) fn statement(matcher: &Matcher, statement: &str, out: &mut String) {
    Statement {
        matcher,
        rest: statement,
        depth: 0,
        secret: None,
        out,
    }
    .write();
}

/// Whether [`statement`] would change nothing: there is neither a literal nor a
/// comment.
#[inline]
pub(crate) fn has_no_literal(statement: &[u8]) -> bool {
    let is_quote = |byte: &u8| matches!(byte, b'\'' | b'"' | b'`');
    let may_begin = |pair: &[u8]| {
        matches!(pair, [b'-', b'-'] | [b'/', b'*'])
            || matches!(pair, [b'$', next] if !next.is_ascii_digit())
    };
    !statement.iter().any(is_quote)
        && !statement.windows(2).any(may_begin)
        && statement.last() != Some(&b'$')
}

/// What makes the literals ahead secret.
#[derive(Clone, Copy, Debug)]
struct Secret {
    /// Parentheses around the name.
    depth: u32,
    /// Up to the end of the clause, whatever words are in it.
    is_clause: bool,
}

struct Statement<'a, 'o> {
    matcher: &'a Matcher,
    rest: &'a str,
    depth: u32,
    secret: Option<Secret>,
    out: &'o mut String,
}

impl<'a> Statement<'a, '_> {
    fn write(mut self) {
        while let Some(next) = self.rest.chars().next() {
            steps::count(1);
            match next {
                '\'' => self.literal(next),
                '"' if self.secret.is_some() => self.literal(next),
                '"' | '`' => self.name(next),
                '$' if self.begins_dollars() => self.dollars(),
                '-' if self.rest.starts_with("--") => self.comment("\n"),
                '/' if self.rest.starts_with("/*") && !self.rest.starts_with("/*!") => {
                    self.comment("*/");
                }
                _ if is_word(next) => self.word(),
                _ => self.sign(next),
            }
        }
    }

    /// Takes so many bytes off.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn sign(&mut self, sign: char) {
        match sign {
            '(' => self.depth = self.depth.saturating_add(1),
            ')' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let ends = |secret: &Secret| match sign {
            ';' => true,
            ',' => self.depth <= secret.depth,
            ')' => self.depth < secret.depth,
            _ => false,
        };
        if self.secret.as_ref().is_some_and(ends) {
            self.secret = None;
        }
        let sign = self.take(sign.len_utf8());
        self.out.push_str(sign);
    }

    fn word(&mut self) {
        let end = run(self.rest, is_word);
        let word = self.take(end);
        self.out.push_str(word);
        self.note(word);
    }

    /// What the word means for the literals behind it.
    fn note(&mut self, word: &str) {
        let is_one_of = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
        let is_clause = is_one_of(&["identified"]);
        if is_clause || self.is_secret(word) {
            let was_clause = self.secret.is_some_and(|secret| secret.is_clause);
            self.secret = Some(Secret {
                depth: self.depth,
                is_clause: is_clause || was_clause,
            });
            return;
        }
        let Some(secret) = &mut self.secret else {
            return;
        };
        // `SET PASSWORD FOR 'a'@'b' = 'c'`
        secret.is_clause |= is_one_of(&["for", "to"]);
        let stays = secret.is_clause
            || self.depth > secret.depth
            || word.starts_with(|first: char| first.is_ascii_digit())
            // A function, or the prefix of a literal.
            || self.rest.trim_start().starts_with('(')
            || self.rest.starts_with(['\'', '"'])
            || is_one_of(&OPERATORS);
        if !stays {
            self.secret = None;
        }
    }

    fn is_secret(&self, name: &str) -> bool {
        let last = name.rsplit('.').next().unwrap_or(name);
        name.len() <= MAX_NAME
            && [name, last]
                .iter()
                .any(|name| is_secret_or_password(self.matcher, name))
    }

    /// A name in quotes.
    fn name(&mut self, quote: char) {
        let behind = self.rest.get(1..).unwrap_or_default();
        // Nothing is searched twice: there is no other such quote behind it.
        let Some(len) = behind.find(quote) else {
            return self.sign(quote);
        };
        let taken = self.take(len + 2);
        let name = taken.trim_matches(quote);
        if name.len() > MAX_NAME {
            // MySQL has literals in such quotes.
            text(self.matcher, taken, self.out);
        } else {
            self.out.push_str(taken);
            self.note(name);
        }
    }

    fn literal(&mut self, quote: char) {
        let Some(end) = self.end_of_literal(quote) else {
            return self.ambiguous();
        };
        let taken = self.take(end);
        self.content(taken, 1);
    }

    /// Where the literal ends; `None` where it depends on the server's settings.
    fn end_of_literal(&self, quote: char) -> Option<usize> {
        let mut at = 1;
        loop {
            let rest = self.rest.get(at..).unwrap_or_default();
            let Some(found) = rest.find(quote) else {
                return Some(self.rest.len());
            };
            if rest.get(..found).unwrap_or_default().ends_with('\\') {
                return None;
            }
            let behind = rest.get(found + 1..).unwrap_or_default();
            at += found + 1;
            if !behind.starts_with(quote) {
                return Some(at);
            }
            at += 1;
        }
    }

    /// What looks like the end of it may be inside a secret.
    fn ambiguous(&mut self) {
        self.take(self.rest.len());
        self.out.push('\'');
        self.out.push_str(REDACTED);
        self.out.push('\'');
    }

    /// Writes a literal with marks of so many bytes around it.
    fn content(&mut self, literal: &str, mark: usize) {
        let Some(_) = self.secret else {
            return text(self.matcher, literal, self.out);
        };
        let (start, content) = literal.split_at_checked(mark).unwrap_or((literal, ""));
        self.out.push_str(start);
        self.out.push_str(REDACTED);
        if content.ends_with(start) {
            self.out.push_str(start);
        }
    }

    /// `$$` or `$name$`: what PostgreSQL quotes literals with, too.
    fn begins_dollars(&self) -> bool {
        self.mark().is_some()
    }

    fn mark(&self) -> Option<usize> {
        let behind = self.rest.strip_prefix('$')?;
        let name = run(behind, |c| c.is_alphanumeric() || c == '_');
        let is_parameter = behind.starts_with(|first: char| first.is_ascii_digit());
        let (_, rest) = behind.split_at_checked(name)?;
        (!is_parameter && rest.starts_with('$')).then_some(name + 2)
    }

    fn dollars(&mut self) {
        let mark = self.mark().unwrap_or(1);
        let (quote, behind) = self.rest.split_at_checked(mark).unwrap_or((self.rest, ""));
        let len = behind.find(quote).map_or(behind.len(), |len| len + mark);
        let taken = self.take(mark + len);
        self.content(taken, mark);
    }

    fn comment(&mut self, end: &str) {
        let len = self
            .rest
            .find(end)
            .map_or(self.rest.len(), |at| at + end.len());
        let comment = self.take(len);
        text(self.matcher, comment, self.out);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        let mut out = String::new();
        statement(&Matcher::default(), text, &mut out);
        out
    }

    #[test]
    fn literals_of_secret_names_are_hidden() {
        for (statement, expected) in [
            (
                "CREATE USER bob WITH ENCRYPTED PASSWORD 'x y'",
                "CREATE USER bob WITH ENCRYPTED PASSWORD '?'",
            ),
            (
                "alter role bob password E'x''y' valid until 'z'",
                "alter role bob password E'?' valid until 'z'",
            ),
            (
                "ALTER USER a PASSWORD $$x'y$$",
                "ALTER USER a PASSWORD $$?$$",
            ),
            (
                "ALTER USER a PASSWORD $q$x$q$;SELECT 'a'",
                "ALTER USER a PASSWORD $q$?$q$;SELECT 'a'",
            ),
            (
                "CREATE USER 'a'@'%' IDENTIFIED BY 'x'",
                "CREATE USER 'a'@'%' IDENTIFIED BY '?'",
            ),
            (
                "GRANT ALL ON *.* TO a IDENTIFIED WITH mysql_native_password USING \"x\"",
                "GRANT ALL ON *.* TO a IDENTIFIED WITH mysql_native_password USING \"?\"",
            ),
            (
                "SET PASSWORD FOR 'a'@'b' = PASSWORD('x')",
                "SET PASSWORD FOR '?'@'?' = PASSWORD('?')",
            ),
            ("SET app.api_key TO 'x'", "SET app.api_key TO '?'"),
            (
                "update u set password = crypt('x', gen_salt('bf')), name = 'n' where id = 1",
                "update u set password = crypt('?', gen_salt('?')), name = 'n' where id = 1",
            ),
            (
                "select * from u where u.\"passwd\" not in ('x', 'y') and name = 'n'",
                "select * from u where u.\"passwd\" not in ('?', '?') and name = 'n'",
            ),
            (
                "select 1 from t where `api_key`='x' or a='b'",
                "select 1 from t where `api_key`='?' or a='b'",
            ),
            (
                "where password = $1 and name = 'n'",
                "where password = $1 and name = 'n'",
            ),
            ("where password = 'unfinished", "where password = '?"),
            (
                "OPTIONS (user 'bob', password 'x')",
                "OPTIONS (user 'bob', password '?')",
            ),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'host=h password=x dbname=d'",
                "CREATE SUBSCRIPTION s CONNECTION 'host=h password=? dbname=d'",
            ),
            (
                "insert into j values ('{\"password\": \"x\"}')",
                "insert into j values ('{\"password\": \"?\"}')",
            ),
            (
                "select 'postgres://u:x@h/d'",
                "select 'postgres://<redacted>:?@h/d'",
            ),
        ] {
            assert_eq!(redacted(statement), expected.replace('?', REDACTED));
        }
    }

    #[test]
    fn all_else_is_kept() {
        for statement in [
            "",
            "SELECT * FROM orders WHERE id = $1 AND name = 'bob''s'",
            "select 'it is 10:30', now() -- don't\n, '12:00'",
            "select a /* it's */ from t where b = 'c'",
            "insert into t (key, password) values (?, ?), (?, ?)",
            "select \"äöü\", 'ß' from \"Tür\"",
            "select $1::jsonb #>> '{a,b}'",
            "create table users (id int, password varchar(20), name text default 'n')",
            "select password from u where name = 'n'",
        ] {
            assert_eq!(redacted(statement), statement);
        }
    }

    #[test]
    fn where_the_end_of_a_literal_is_not_sure_more_is_hidden() {
        assert_eq!(
            redacted(r"select 'c:\' and password = 'x' limit 1"),
            "select '<redacted>'"
        );
        assert_eq!(redacted(r"select 'it\'s', 1"), "select '<redacted>'");
        // The end of a long one is cut off.
        assert_eq!(
            redacted(r"select 'c:\' and password = 'x"),
            "select '<redacted>'"
        );
        assert_eq!(redacted(r"select 'a\"), r"select 'a\");
    }

    #[test]
    fn statements_without_literals_are_known_at_a_glance() {
        for plain in [
            "",
            "SELECT 1",
            "select a from t where b = $1 and c = ? - 3 / 4",
        ] {
            assert!(has_no_literal(plain.as_bytes()), "{plain}");
            assert_eq!(redacted(plain), plain);
        }
        for other in [
            "'",
            "select \"a\"",
            "`a`",
            "$$a$$",
            "$a$",
            "--a",
            "/*a*/",
            "a$",
        ] {
            assert!(!has_no_literal(other.as_bytes()), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_statement(text in r#"([ a-z'"`$\\(),;]|--|/\*|\*/|password|identified|ä|\$a\$){0,40}"#) {
            let once = redacted(&text);
            proptest::prop_assert!(once.len() <= text.len() * 12 + 24);
        }

        #[test]
        fn a_password_is_never_kept(
            before in r#"([ a-z,();=*-]|'[a-z]*'|"[a-z]*"|`[a-z]*`){0,12}"#,
            quoted in "[a-z]{0,8}",
        ) {
            let is_open = before.contains("--");
            proptest::prop_assume!(!is_open);
            let text = format!("{before}; alter user a password '{quoted}XYZZY'");
            proptest::prop_assert!(!redacted(&text).contains("XYZZY"), "{}", redacted(&text));
        }
    }
}
