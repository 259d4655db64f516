use instana::span::sql::{Address, Dialect, Target};
use sqlx::Postgres;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgQueryResult};

use super::{Backend, Described, Place};
use crate::{Connection, Pool, Transaction};

/// As [`sqlx::PgPool`].
pub type PgPool = Pool<Postgres>;

/// As [`sqlx::PgConnection`].
pub type PgConnection = Connection<Postgres>;

/// As [`sqlx::PgTransaction`].
pub type PgTransaction<'c> = Transaction<'c, Postgres>;

/// Codes of errors that quote the names of tables, databases, schemas and users. Not 42703, an
/// unknown column, which may be a value in the wrong quotes.
const NAMING: [&str; 6] = ["28000", "28P01", "3D000", "3F000", "42P01", "42P07"];

/// The words before such a name.
const KINDS: [&str; 6] = [
    "database ",
    "host ",
    "relation ",
    "role ",
    "schema ",
    "user ",
];

impl Backend for Postgres {}

impl Described for Postgres {
    const DIALECT: Dialect = Dialect::Postgres;

    fn place(options: &PgConnectOptions) -> Place {
        let socket = options.get_socket().map(|path| path.display().to_string());
        let user = options.get_username();
        Place {
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            port: Some(options.get_port()),
            user: user.to_owned(),
            // The server takes the user's name where there is none.
            database: options.get_database().unwrap_or(user).to_owned(),
        }
    }

    fn target(address: &Address<'_>) -> Target {
        Target::postgres(address)
    }

    fn changed(result: &PgQueryResult) -> u64 {
        result.rows_affected()
    }

    /// The server sends the names of table, column and constraint in separate fields.
    fn is_name(error: &dyn DatabaseError, before: &str, quoted: &str) -> bool {
        let is_known = NAMING
            .iter()
            .any(|code| error.code().is_some_and(|known| known == *code));
        if is_known && KINDS.iter().any(|kind| before.ends_with(kind)) {
            return true;
        }
        error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|told| {
                [
                    told.schema(),
                    told.table(),
                    told.column(),
                    told.data_type(),
                    told.constraint(),
                ]
                .into_iter()
                .flatten()
                .any(|name| name == quoted)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_what_the_url_says() {
        for (url, host, port, user, database) in [
            ("postgres://u:secret@db:5433/shop", "db", 5433, "u", "shop"),
            ("postgres://u@db", "db", 5432, "u", "u"),
            (
                "postgresql://u@db/a%20b?sslmode=disable",
                "db",
                5432,
                "u",
                "a b",
            ),
            ("postgres://u@[::1]:1/d", "[::1]", 1, "u", "d"),
            ("postgres://u@%2Frun%2Fpg/d", "/run/pg", 5432, "u", "d"),
            (
                "postgres:///d?host=/run/pg&user=u&port=7",
                "/run/pg",
                7,
                "u",
                "d",
            ),
        ] {
            let place = Postgres::place(&url.parse().unwrap());
            let expected = Place {
                host: host.to_owned(),
                port: Some(port),
                user: user.to_owned(),
                database: database.to_owned(),
            };
            assert_eq!(place, expected, "{url}");
        }
    }
}
