//! Spans of statements for SQLite, of which all methods of the wrappers are the same as for
//! servers; those are in the integration tests.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]

mod call_forms;
mod concurrency;
mod connections;
mod layer;
mod statements;
mod streams;
mod transactions;

use std::future::Future;
use std::time::Duration;

use instana::FutureExt;
use instana::testing::{RecordedSpan, Recorder};
use instana_sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use test_helpers::{exit, exits};

/// A pool with one connection.
async fn pool() -> SqlitePool {
    pool_that_waits(Duration::from_secs(30)).await
}

/// A pool with one connection, for which nobody waits longer than this.
async fn pool_that_waits(timeout: Duration) -> SqlitePool {
    let options = SqlitePoolOptions::new().max_connections(1);
    let pool = options
        .acquire_timeout(timeout)
        .connect("sqlite::memory:")
        .await
        .unwrap();
    for statement in [
        "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "INSERT INTO item (name) VALUES ('tea'), ('milk'), ('bread')",
    ] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    pool.into()
}

fn statement(span: &RecordedSpan) -> String {
    span.text("data.sdk.custom.tags.db.statement")
        .unwrap_or_default()
}

/// The statements, with `!` behind those that failed.
#[track_caller]
fn outline(recorder: &Recorder) -> Vec<String> {
    let outline = |span: &RecordedSpan| {
        let mark = if span.errors() > 0 { " !" } else { "" };
        statement(span) + mark
    };
    exits(recorder).iter().map(outline).collect()
}
