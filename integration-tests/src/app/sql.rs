//! Statements for a database.

use instana::FutureExt;
use instana_sqlx::{Backend, MySqlPool, PgPool, Pool, SqlitePool};
use sqlx::IntoArguments;

/// Records an entry that connects, and executes a statement that works and one that does
/// not. Says whether there was a connection.
pub(crate) fn run(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return "no runtime".to_owned();
    };
    let work = async {
        match url.split(':').next() {
            Some("postgres") => statements(PgPool::connect(url).await).await,
            Some("mysql") => statements(MySqlPool::connect(url).await).await,
            _ => statements(SqlitePool::connect(url).await).await,
        }
    };
    runtime.block_on(async { work.in_span(instana::entry_span("job")).await })
}

async fn statements<DB: Backend>(pool: Result<Pool<DB>, sqlx::Error>) -> String
where
    DB::Arguments: IntoArguments<DB>,
{
    let Ok(pool) = pool else {
        return "refused".to_owned();
    };
    let one = sqlx::query("SELECT 1").fetch_all(&pool).await;
    let none = sqlx::query("SELECT * FROM no_such_table")
        .execute(&pool)
        .await;
    pool.close().await;
    format!("{} {}", one.is_ok(), none.is_ok())
}
