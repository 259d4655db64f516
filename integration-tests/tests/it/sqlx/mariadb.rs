//! MariaDB.

use instana_sqlx::{MySqlConnection, MySqlPool, MySqlTransaction};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{MySql, Row};

use super::proxy::Proxy;
use super::*;

const VARIABLE: &str = "MARIADB_URL";
const NAME: &str = "mysql";
const SECTION: &str = "data.mysql";
const HANG: &str = "SELECT SLEEP(60)";
const SERIES: &str = "SELECT CAST(seq AS SIGNED) FROM seq_1_to_10000";
const INSERT: &str = "INSERT INTO item (name) VALUES (?)";
const BY_NAME: &str = "SELECT id FROM item WHERE name = ?";
const BYTES: &str = "SELECT CAST(? AS BINARY)";
const TABLE: &str =
    "CREATE TEMPORARY TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(60) UNIQUE)";
const ME: &str = "SELECT CAST(CONNECTION_ID() AS SIGNED)";
const BUSY: &str = "SELECT count(*) FROM information_schema.processlist \
                    WHERE id = ? AND info LIKE 'SELECT SLEEP%'";
const KILL: &str = "KILL ?";

type Database = MySql;
type Pool = MySqlPool;
type Connection = MySqlConnection;
type Transaction<'c> = MySqlTransaction<'c>;
type PoolOptions = MySqlPoolOptions;
type ConnectOptions = MySqlConnectOptions;

include!("server.rs");

#[tokio::test]
async fn macros_are_statements() {
    let pool = pool(1).await;
    let work = async {
        let row = sqlx::query!("SELECT CAST(? AS SIGNED) + 1 AS `sum!: i64`", 6).fetch_one(&pool);
        let sum = row.await.unwrap().sum;
        let mut tx = pool.begin().await.unwrap();
        let text = sqlx::query_scalar!("SELECT upper(?)", "tea")
            .fetch_one(&mut *tx)
            .await;
        (sum, text.unwrap())
    };
    let (recorder, results) = record(work).await;
    assert_eq!(results, (7, Some(b"TEA".to_vec())));
    let expected = [
        ("SELECT CAST(? AS SIGNED) + 1 AS `sum!: i64`", Some(1)),
        ("BEGIN", None),
        ("SELECT upper(?)", Some(1)),
        ("ROLLBACK", None),
    ];
    assert_eq!(
        outline(&recorder),
        expected.map(|(stmt, rows)| (stmt.to_owned(), rows))
    );
}

#[tokio::test]
async fn values_that_errors_quote_are_left_out() {
    let pool = pool(1).await;
    pool.execute(TABLE).await.unwrap();
    let insert = || sqlx::query(INSERT).bind("it's hunter2").execute(&pool);
    insert().await.unwrap();
    assert_eq!(
        told_of(insert()).await,
        "1062 (23000): Duplicate entry … for key 'name'"
    );
    let no_number = sqlx::query("INSERT INTO item (id) VALUES (?)").bind("hunter2");
    let told = told_of(no_number.execute(&pool)).await;
    assert!(
        told.contains("Incorrect integer value: … for column "),
        "{told}"
    );
    let unknown = sqlx::query("ALTER USR tea IDENTIFIED BY 'hunter2'").execute(&pool);
    let told = told_of(unknown).await;
    assert!(
        told.starts_with("1064 ") && told.ends_with("near … at line 1"),
        "{told}"
    );
}
