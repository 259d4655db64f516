//! PostgreSQL.

use instana_sqlx::{PgConnection, PgPool, PgTransaction};
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgListener, PgPoolCopyExt, PgPoolOptions};
use sqlx::{Postgres, Row};

use super::proxy::Proxy;
use super::*;

const VARIABLE: &str = "POSTGRES_URL";
const NAME: &str = "postgres";
const SECTION: &str = "data.pg";
const HANG: &str = "SELECT pg_sleep(60)";
const SERIES: &str = "SELECT n::int8 FROM generate_series(1, 10000) AS n";
const INSERT: &str = "INSERT INTO item (name) VALUES ($1)";
const BY_NAME: &str = "SELECT id FROM item WHERE name = $1";
const BYTES: &str = "SELECT $1::bytea";
const TABLE: &str = "CREATE TEMPORARY TABLE item (id SERIAL PRIMARY KEY, name TEXT UNIQUE)";
const ME: &str = "SELECT pg_backend_pid()::int8";
const BUSY: &str = "SELECT count(*) FROM pg_stat_activity \
                    WHERE pid = $1 AND state = 'active' AND query LIKE 'SELECT pg_sleep%'";
const KILL: &str = "SELECT pg_terminate_backend($1::int)";

type Database = Postgres;
type Pool = PgPool;
type Connection = PgConnection;
type Transaction<'c> = PgTransaction<'c>;
type PoolOptions = PgPoolOptions;
type ConnectOptions = PgConnectOptions;

include!("server.rs");

#[tokio::test]
async fn macros_are_statements() {
    let pool = pool(1).await;
    let work = async {
        let row = sqlx::query!(r#"SELECT $1::int8 + 1 AS "sum!""#, 6_i64)
            .fetch_one(&pool)
            .await;
        let mut tx = pool.begin().await.unwrap();
        let text = sqlx::query_scalar!("SELECT upper($1)", "tea")
            .fetch_one(&mut *tx)
            .await;
        let series = sqlx::query!("SELECT n FROM generate_series(1, 3) AS n").fetch(&mut *tx);
        let series = series.try_collect::<Vec<_>>().await;
        (row.unwrap().sum, text.unwrap(), series.unwrap().len())
    };
    let (recorder, results) = record(work).await;
    assert_eq!(results, (7, Some("TEA".to_owned()), 3));
    let expected = [
        (r#"SELECT $1::int8 + 1 AS "sum!""#, Some(1)),
        ("BEGIN", None),
        ("SELECT upper($1)", Some(1)),
        ("SELECT n FROM generate_series(1, 3) AS n", Some(3)),
        ("ROLLBACK", None),
    ];
    assert_eq!(
        outline(&recorder),
        expected.map(|(stmt, rows)| (stmt.to_owned(), rows))
    );
}

#[tokio::test]
async fn what_is_not_traced_works_inside() {
    let pool = pool(2).await;
    let work = async {
        let mut listener = PgListener::connect_with(pool.inner()).await.unwrap();
        listener.listen("shop").await.unwrap();
        sqlx::query("NOTIFY shop, 'tea'")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(listener.recv().await.unwrap().payload(), "tea");
        let copy = pool
            .inner()
            .copy_out_raw("COPY (SELECT 7) TO STDOUT")
            .await
            .unwrap();
        let lines: Vec<_> = copy.try_collect().await.unwrap();
        assert_eq!(lines, ["7\n"]);
        let mut connection = pool.acquire().await.unwrap();
        let lock = sqlx::postgres::PgAdvisoryLock::new("instana-sqlx");
        let lock = lock.acquire(&mut *connection).await.unwrap();
        lock.release_now().await.unwrap();
    };
    let (recorder, ()) = record(work).await;
    assert_eq!(
        outline(&recorder),
        [("NOTIFY shop, 'tea'".to_owned(), Some(0))]
    );
}

#[tokio::test]
async fn an_error_of_the_server_keeps_its_details_for_the_application() {
    let pool = pool(1).await;
    let broken = sqlx::query("SELECT * FROM no_such_table").execute(&pool);
    let (recorder, result) = record(broken).await;
    let error = result.unwrap_err();
    let error = error
        .as_database_error()
        .unwrap()
        .downcast_ref::<PgDatabaseError>();
    assert_eq!(error.code(), "42P01");
    let told = exit(&recorder).text("data.pg.error").unwrap();
    assert!(
        told.contains(r#"relation "no_such_table" does not exist"#),
        "{told}"
    );
}

#[tokio::test]
async fn values_that_errors_quote_are_left_out() {
    let pool = pool(1).await;
    let no_number = sqlx::query("SELECT $1::text::int").bind("hunter2");
    assert_eq!(
        told_of(no_number.execute(&pool)).await,
        "invalid input syntax for type integer: …"
    );
    let open = sqlx::query("SELECT 'hunter2").execute(&pool);
    assert_eq!(
        told_of(open).await,
        "unterminated quoted string at or near …"
    );
    let word = sqlx::query("SELEC hunter2").execute(&pool);
    let (recorder, _) = record(word).await;
    let told = exit(&recorder).error_text().unwrap();
    assert!(told.ends_with("at or near …"), "{told}");
}
