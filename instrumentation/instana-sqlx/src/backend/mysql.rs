use instana::span::sql::{Address, Dialect, Target};
use sqlx::MySql;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlQueryResult};

use super::{Backend, Described, Place};
use crate::{Connection, Pool, Transaction};

/// As [`sqlx::MySqlPool`].
pub type MySqlPool = Pool<MySql>;

/// As [`sqlx::MySqlConnection`].
pub type MySqlConnection = Connection<MySql>;

/// As [`sqlx::MySqlTransaction`].
pub type MySqlTransaction<'c> = Transaction<'c, MySql>;

/// Errors that contain names only: of users, databases and tables (1044, 1045, 1049, 1050, 1051,
/// 1142, 1143, 1146), of columns that have no value or one that does not fit (1048, 1264, 1265, 1364,
/// 1406), of constraints (1216, 1217, 1451, 1452, 3819, 4025). Not 1054, an unknown column, which may
/// be a value in the wrong quotes.
const NAMING: [u16; 20] = [
    1044, 1045, 1048, 1049, 1050, 1051, 1142, 1143, 1146, 1216, 1217, 1264, 1265, 1364, 1406, 1451,
    1452, 3819, 4025, 1091,
];

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

    fn is_name(error: &dyn DatabaseError, _: &str, _: &str) -> bool {
        let told = error.try_downcast_ref::<MySqlDatabaseError>();
        told.is_some_and(|told| NAMING.contains(&told.number()))
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
