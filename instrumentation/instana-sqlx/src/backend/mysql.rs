use instana::span::sql::{Address, Target};
use sqlx::MySql;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlQueryResult};

use super::{Backend, Described, Place, is_of_data};
use crate::mask::Dialect;
use crate::{Connection, Pool, Transaction};

/// As [`sqlx::MySqlPool`].
pub type MySqlPool = Pool<MySql>;

/// As [`sqlx::MySqlConnection`].
pub type MySqlConnection = Connection<MySql>;

/// As [`sqlx::MySqlTransaction`].
pub type MySqlTransaction<'c> = Transaction<'c, MySql>;

/// Errors that quote values though they are not of the class for that: a key that is there
/// already (1062, 1586), values that are no such type (1366, 1411, 1525), and the rest
/// of a statement that is not understood (1064).
const QUOTING: [u16; 6] = [1062, 1064, 1366, 1411, 1525, 1586];

impl Backend for MySql {}

impl Described for MySql {
    const DIALECT: Dialect = Dialect::MySql;

    fn place(options: &MySqlConnectOptions) -> Place {
        let socket = options.get_socket().map(|path| path.display().to_string());
        Place {
            port: socket.is_none().then(|| options.get_port()),
            host: socket.unwrap_or_else(|| options.get_host().to_owned()),
            user: options.get_username().to_owned(),
            database: options.get_database().unwrap_or_default().to_owned(),
        }
    }

    fn target(address: &Address<'_>) -> Target {
        Target::mysql(address)
    }

    fn changed(result: &MySqlQueryResult) -> u64 {
        result.rows_affected()
    }

    fn quotes_values(error: &dyn DatabaseError) -> bool {
        let told = error.try_downcast_ref::<MySqlDatabaseError>();
        is_of_data(error) || told.is_some_and(|told| QUOTING.contains(&told.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_what_the_url_says() {
        for (url, host, port, user, database) in [
            (
                "mysql://u:secret@db:3307/shop",
                "db",
                Some(3307),
                "u",
                "shop",
            ),
            ("mariadb://u@db", "db", Some(3306), "u", ""),
            ("mysql://db/d", "db", Some(3306), "root", "d"),
            (
                "mysql://u@h/d?socket=/run/my.sock",
                "/run/my.sock",
                None,
                "u",
                "d",
            ),
        ] {
            let place = MySql::place(&url.parse().unwrap());
            let expected = Place {
                host: host.to_owned(),
                port,
                user: user.to_owned(),
                database: database.to_owned(),
            };
            assert_eq!(place, expected, "{url}");
        }
    }
}
