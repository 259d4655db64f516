// Compiled twice, with `types` of sqlx and of instana-sqlx: see `call_forms.rs`.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use sqlx::{Either, Executor, FromRow, QueryBuilder, Row, SqlSafeStr, Sqlite, Statement};

use types::*;

type Result<T> = std::result::Result<T, sqlx::Error>;

#[derive(Debug, FromRow)]
struct Item {
    id: i64,
    name: String,
}

pub(crate) async fn all(pool: &SqlitePool) -> Result<Vec<String>> {
    let mut results = queries(pool).await?;
    results.extend(macros(pool).await?);
    results.extend(streams(pool).await?);
    results.extend(executors(pool).await?);
    results.extend(connections(pool).await?);
    results.extend(transactions(pool).await?);
    Ok(results)
}

async fn queries(pool: &SqlitePool) -> Result<Vec<String>> {
    let inserted = sqlx::query("INSERT INTO item (name) VALUES (?)")
        .bind("salt")
        .execute(pool)
        .await?;
    let one = sqlx::query("SELECT name FROM item WHERE id = ?")
        .bind(1)
        .fetch_one(pool)
        .await?;
    let mapped = sqlx::query("SELECT id FROM item")
        .map(|row: sqlx::sqlite::SqliteRow| row.get::<i64, _>(0))
        .fetch_all(pool)
        .await?;
    let items: Vec<Item> = sqlx::query_as("SELECT id, name FROM item")
        .fetch_all(pool)
        .await?;
    let pair: (i64, String) = sqlx::query_as("SELECT id, name FROM item WHERE id = ?")
        .bind(2)
        .fetch_one(pool)
        .await?;
    let none: Option<i64> = sqlx::query_scalar("SELECT id FROM item WHERE id = 99")
        .fetch_optional(pool)
        .await?;
    let mut built = QueryBuilder::<Sqlite>::new("INSERT INTO item (name) ");
    built.push_values(["oil", "rice"], |mut row, name| {
        row.push_bind(name);
    });
    let built = built.build().execute(pool).await?.rows_affected();
    let mut typed = QueryBuilder::<Sqlite>::new("SELECT id, name FROM item WHERE name = ");
    let typed: Item = typed
        .push_bind("oil")
        .build_query_as()
        .fetch_one(pool)
        .await?;
    let raw = sqlx::raw_sql("SELECT 1; SELECT 2")
        .fetch_all(pool)
        .await?
        .len();
    Ok(vec![
        inserted.last_insert_rowid().to_string(),
        one.get(0),
        format!("{mapped:?}"),
        format!("{items:?}"),
        format!("{pair:?} {none:?}"),
        built.to_string(),
        format!("{} {}", typed.id, typed.name),
        raw.to_string(),
    ])
}

async fn macros(pool: &SqlitePool) -> Result<Vec<String>> {
    let id = 1_i64;
    let row = sqlx::query!("SELECT id, name FROM item WHERE id = ?", id)
        .fetch_one(pool)
        .await?;
    let item = sqlx::query_as!(Item, "SELECT id, name FROM item WHERE id = ?", id)
        .fetch_optional(pool)
        .await?;
    let count = sqlx::query_scalar!("SELECT count(*) FROM item")
        .fetch_one(pool)
        .await?;
    let mut connection = pool.acquire().await?;
    let names: Vec<String> = sqlx::query!("SELECT name FROM item ORDER BY id")
        .fetch(&mut *connection)
        .map_ok(|row| row.name)
        .try_collect()
        .await?;
    Ok(vec![
        format!("{} {}", row.id, row.name),
        format!("{item:?} {count}"),
        names.concat(),
    ])
}

fn rows(pool: &SqlitePool) -> BoxStream<'_, Result<i64>> {
    sqlx::query_scalar("SELECT id FROM item").fetch(pool)
}

async fn streams(pool: &SqlitePool) -> Result<Vec<String>> {
    let ids: Vec<i64> = rows(pool).try_collect().await?;
    let mut stream = sqlx::query_as::<_, Item>("SELECT id, name FROM item").fetch(pool);
    let first = stream.try_next().await?.map(|item| item.name);
    drop(stream);
    let steps = sqlx::raw_sql("SELECT 1; SELECT 2").fetch_many(pool);
    let steps: Vec<bool> = steps
        .map_ok(|step| matches!(step, Either::Left(_)))
        .try_collect()
        .await?;
    let results = sqlx::raw_sql("SELECT 1; SELECT 2").execute_many(pool);
    let results = results.try_collect::<Vec<_>>().await?.len();
    Ok(vec![
        format!("{ids:?}"),
        format!("{first:?}"),
        format!("{steps:?}"),
        results.to_string(),
    ])
}

async fn generic<'c>(executor: impl Executor<'c, Database = Sqlite>) -> Result<i64> {
    sqlx::query_scalar("SELECT 7").fetch_one(executor).await
}

async fn any_database<'c, DB, E>(executor: E) -> Result<usize>
where
    DB: sqlx::Database,
    E: Executor<'c, Database = DB>,
    for<'q> <DB as sqlx::Database>::Arguments: sqlx::IntoArguments<DB>,
{
    Ok(sqlx::query("SELECT 7").fetch_all(executor).await?.len())
}

async fn by_connection(connection: &mut SqliteConnection) -> Result<i64> {
    sqlx::query("SELECT 1").execute(&mut *connection).await?;
    sqlx::query_scalar("SELECT 8").fetch_one(connection).await
}

struct Repository<'a> {
    connection: &'a mut SqliteConnection,
}

impl Repository<'_> {
    async fn nine(&mut self) -> Result<i64> {
        generic(&mut *self.connection).await?;
        sqlx::query_scalar("SELECT 9")
            .fetch_one(&mut *self.connection)
            .await
    }
}

async fn executors(pool: &SqlitePool) -> Result<Vec<String>> {
    let cloned: Pool<Sqlite> = pool.clone();
    let executed = cloned.execute("SELECT 1").await?.rows_affected();
    let row = (&cloned).fetch_one(sqlx::query("SELECT ?").bind(5)).await?;
    let prepared = cloned
        .prepare("SELECT id FROM item WHERE id = ?".into_sql_str())
        .await?;
    let id: i64 = prepared.query_scalar().bind(3).fetch_one(&cloned).await?;
    let described = cloned
        .describe("SELECT id FROM item".into_sql_str())
        .await?;
    let sums = generic(pool).await? + generic(&cloned).await?;
    let _ = executed;
    Ok(vec![
        row.get::<i64, _>(0).to_string(),
        format!("{id} {}", described.columns().len()),
        format!("{sums} {}", any_database(pool).await?),
    ])
}

async fn connections(pool: &SqlitePool) -> Result<Vec<String>> {
    let mut connection: PoolConnection<Sqlite> = pool.acquire().await?;
    let eight = by_connection(&mut connection).await?;
    let nine = Repository {
        connection: &mut connection,
    }
    .nine()
    .await?;
    let executed = connection.execute(sqlx::query("SELECT 1")).await?;
    let _ = executed;
    connection.ping().await?;
    let is_in_transaction = connection.is_in_transaction();
    connection
        .transaction(|tx| async move { tx.execute("SELECT 2").await }.boxed())
        .await?;
    drop(connection);
    let mut own = SqliteConnection::connect("sqlite::memory:").await?;
    let seven = generic(&mut own).await?;
    own.close().await?;
    Ok(vec![
        format!("{eight} {nine}"),
        is_in_transaction.to_string(),
        seven.to_string(),
    ])
}

/// A callback that is given a transaction.
async fn inside<F>(pool: &SqlitePool, work: F) -> Result<String>
where
    F: for<'t> FnOnce(&'t mut SqliteTransaction<'static>) -> BoxFuture<'t, Result<String>>,
{
    let mut tx = pool.begin().await?;
    let result = work(&mut tx).await?;
    tx.commit().await?;
    Ok(result)
}

async fn nested(tx: &mut SqliteTransaction<'_>) -> Result<i64> {
    let mut inner = tx.begin().await?;
    sqlx::query("INSERT INTO item (name) VALUES ('flour')")
        .execute(&mut *inner)
        .await?;
    by_connection(&mut inner).await?;
    let count = sqlx::query_scalar("SELECT count(*) FROM item")
        .fetch_one(&mut *inner)
        .await?;
    inner.rollback().await?;
    Ok(count)
}

async fn transactions(pool: &SqlitePool) -> Result<Vec<String>> {
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO item (name) VALUES (?)")
        .bind("fish")
        .execute(&mut *tx)
        .await?;
    tx.execute("INSERT INTO item (name) VALUES ('meat')")
        .await?;
    let in_nested = nested(&mut tx).await?;
    let ids: Vec<i64> = sqlx::query_scalar::<_, i64>("SELECT id FROM item")
        .fetch(&mut *tx)
        .try_collect()
        .await?;
    let seven = generic(&mut *tx).await?;
    tx.commit().await?;
    // The connection goes back to the pool in a task.
    let tried = loop {
        if let Some(mut tx) = pool.try_begin().await? {
            break generic(&mut *tx).await?;
        }
        tokio::task::yield_now().await;
    };
    let mut undone = pool.begin_with("BEGIN IMMEDIATE").await?;
    undone.execute("DELETE FROM item").await?;
    drop(undone);
    let told = inside(pool, |tx| {
        async move {
            let rows = sqlx::query("SELECT * FROM item").fetch(&mut **tx);
            Ok(rows.count().await.to_string())
        }
        .boxed()
    });
    Ok(vec![
        in_nested.to_string(),
        format!("{ids:?}"),
        seven.to_string(),
        tried.to_string(),
        told.await?,
    ])
}
