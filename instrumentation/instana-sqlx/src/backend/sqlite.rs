use instana::span::sql::{Address, Target};
use sqlx_sqlite::{Sqlite, SqliteConnectOptions, SqliteQueryResult};

use super::{Backend, Described, Place};
use crate::{Connection, Pool, Transaction};

/// As [`sqlx::SqlitePool`].
pub type SqlitePool = Pool<Sqlite>;

/// As [`sqlx::SqliteConnection`].
pub type SqliteConnection = Connection<Sqlite>;

/// As [`sqlx::SqliteTransaction`].
pub type SqliteTransaction<'c> = Transaction<'c, Sqlite>;

/// How sqlx names databases that are nowhere but in memory.
const IN_MEMORY: &str = "file:sqlx-in-memory-";

impl Backend for Sqlite {}

impl Described for Sqlite {
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
        Target::other(address)
    }

    fn changed(result: &SqliteQueryResult) -> u64 {
        result.rows_affected()
    }

    /// SQLite's counter is that of the last statement that changed anything.
    fn tells_changes(statement: &str) -> bool {
        let word = statement.split_whitespace().next().unwrap_or_default();
        ["delete", "insert", "replace", "update"]
            .iter()
            .any(|change| word.eq_ignore_ascii_case(change))
    }
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
            ("SELECT 1", false),
            ("CREATE TABLE t (a)", false),
            ("", false),
        ] {
            assert_eq!(Sqlite::tells_changes(statement), expected, "{statement}");
        }
    }
}
