use std::borrow::Cow;

use instana::span::sql::{Address, Dialect, Target, masked};
use sqlx::error::DatabaseError;
use sqlx_sqlite::{Sqlite, SqliteConnectOptions, SqliteQueryResult};

use super::{Backend, Described, Place};
use crate::{Connection, Pool, Transaction};

/// As sqlx's [`SqlitePool`](sqlx_sqlite::SqlitePool).
pub type SqlitePool = Pool<Sqlite>;

/// As sqlx's [`SqliteConnection`](sqlx_sqlite::SqliteConnection).
pub type SqliteConnection = Connection<Sqlite>;

/// As sqlx's [`SqliteTransaction`](sqlx_sqlite::SqliteTransaction).
pub type SqliteTransaction<'c> = Transaction<'c, Sqlite>;

/// How sqlx names databases that are nowhere but in memory.
const IN_MEMORY: &str = "file:sqlx-in-memory-";

/// The words of SQLite before a colon and a name, where a value is not possible.
const NAMING: [&str; 5] = [
    "no such function",
    "no such index",
    "no such module",
    "no such table",
    "no such view",
];

impl Backend for Sqlite {}

impl Described for Sqlite {
    const DIALECT: Dialect = Dialect::Sqlite;

    fn place(options: &SqliteConnectOptions) -> Place {
        let file = options.get_filename().display().to_string();
        let is_in_memory = file.starts_with(IN_MEMORY);
        Place {
            database: if is_in_memory {
                ":memory:".to_owned()
            } else {
                file
            },
            ..Place::default()
        }
    }

    fn target(address: &Address<'_>) -> Target {
        Target::sqlite(address)
    }

    fn changed(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    /// SQLite quotes a part of the statement.
    fn is_name(_: &dyn DatabaseError, _: &str, _: &str) -> bool {
        false
    }

    fn message(error: &dyn DatabaseError) -> Cow<'_, str> {
        without_unknown(error.message())
    }

    /// SQLite's counter belongs to the last statement that changed anything.
    fn tells_changes(statement: &str) -> bool {
        let statement = statement.trim_start();
        let word = statement.split_whitespace().next().unwrap_or_default();
        let is_elsewhere = ["--", "/*"].iter().any(|start| word.starts_with(start));
        if is_elsewhere || word.eq_ignore_ascii_case("with") {
            return verb(&masked(Dialect::Sqlite, statement)).is_some_and(changes);
        }
        changes(word)
    }
}

/// A message without the text behind its colon, unless that is a name. `no such column: a` may
/// be a value in the wrong quotes.
fn without_unknown(message: &str) -> Cow<'_, str> {
    match message.split_once(": ") {
        // What stands in quotes is left out by all that they say; behind a value, a colon is
        // none of SQLite's: `near "a": syntax error`.
        Some((told, unknown))
            if !told.contains(['"', '\''])
                && !unknown.starts_with(['"', '\''])
                && !is_name(told, unknown) =>
        {
            Cow::Owned(format!("{told}: …"))
        }
        _ => Cow::Borrowed(message),
    }
}

/// Whether what stands behind the colon is a name.
fn is_name(told: &str, unknown: &str) -> bool {
    let is_known = told.ends_with(" constraint failed") || NAMING.contains(&told);
    is_known && !unknown.contains(['"', '\''])
}

fn changes(word: &str) -> bool {
    ["delete", "insert", "replace", "update"]
        .iter()
        .any(|change| word.eq_ignore_ascii_case(change))
}

/// The first verb outside of parentheses; the verbs of `WITH` are inside.
fn verb(statement: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let parts = statement.split_inclusive(|character: char| !character.is_alphanumeric());
    parts.into_iter().find_map(|part| {
        let word = part.trim_end_matches(|character: char| !character.is_alphanumeric());
        let is_verb = depth == 0 && (changes(word) || word.eq_ignore_ascii_case("select"));
        match part.chars().next_back() {
            Some('(') => depth += 1,
            Some(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_verb.then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_file() {
        for (url, database) in [
            ("sqlite::memory:", ":memory:"),
            ("sqlite://:memory:", ":memory:"),
            ("sqlite:shop.db", "shop.db"),
            ("sqlite:///var/a%20b.db?mode=ro", "/var/a b.db"),
        ] {
            let place = Sqlite::place(&url.parse().unwrap());
            assert_eq!(place.database, database, "{url}");
            assert_eq!((place.host, place.port), (String::new(), None));
        }
        let place = Sqlite::place(&SqliteConnectOptions::new());
        assert_eq!(place.database, ":memory:");
    }

    #[test]
    fn changes_are_those_of_statements_that_make_some() {
        for (statement, expected) in [
            ("INSERT INTO t VALUES (1)", true),
            ("\n  update t SET a = 1", true),
            ("Delete from t", true),
            ("/* here */ UPDATE t SET a = 1", true),
            ("-- here\nINSERT INTO t VALUES ('(')", true),
            ("with n AS (SELECT 1) INSERT INTO t SELECT * FROM n", true),
            (
                "WITH n(a) AS (VALUES (1)), m AS (SELECT 2) DELETE FROM t",
                true,
            ),
            (
                "WITH n AS (SELECT replace('a', 'b', 'c')) SELECT * FROM n",
                false,
            ),
            ("/* update */ SELECT 1", false),
            ("/* update", false),
            ("with (", false),
            ("SELECT 1", false),
            ("CREATE TABLE t (a)", false),
            ("", false),
        ] {
            assert_eq!(Sqlite::tells_changes(statement), expected, "{statement}");
        }
    }

    #[test]
    fn what_is_unknown_is_not_shown() {
        for (message, expected) in [
            ("no such column: hunter2", "no such column: …"),
            ("no such column: hun'ter2 and \"more\"", "no such column: …"),
            ("no such column: \"a\" - b", "no such column: \"a\" - b"),
            ("no such table: orders", "no such table: orders"),
            ("no such table: it's", "no such table: …"),
            (
                "UNIQUE constraint failed: t.a",
                "UNIQUE constraint failed: t.a",
            ),
            ("near \"a: b\": syntax error", "near \"a: b\": syntax error"),
        ] {
            assert_eq!(without_unknown(message), expected);
        }
    }
}
