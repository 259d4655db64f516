//! Spans of statements for SQLite, of which all methods of the wrappers are the same as for
//! servers; those are in the integration tests.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
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

/// Runs `work` in an entry.
async fn record<F: Future>(work: F) -> (Recorder, F::Output) {
    let recorder = Recorder::new();
    let job = async { work.in_span(instana::entry_span("job")).await };
    let output = recorder.scope(job).await;
    (recorder, output)
}

/// The exits, which are below the entry, in the order in which they ended.
#[track_caller]
fn exits(recorder: &Recorder) -> Vec<RecordedSpan> {
    let entry = recorder.labelled("job");
    let exits = recorder.children(&entry);
    assert_eq!(
        exits.len() + 1,
        recorder.spans().len(),
        "{}",
        recorder.tree()
    );
    exits
}

#[track_caller]
fn exit(recorder: &Recorder) -> RecordedSpan {
    let mut exits = exits(recorder);
    assert_eq!(exits.len(), 1, "{}", recorder.tree());
    exits.remove(0)
}

fn tag(span: &RecordedSpan, name: &str) -> Option<i64> {
    span.integer(&format!("data.sdk.custom.tags.{name}"))
}

fn text(span: &RecordedSpan, name: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(&span.json()).unwrap();
    let tag = &json["data"]["sdk"]["custom"]["tags"][name];
    tag.as_str().map(str::to_owned)
}

fn statement(span: &RecordedSpan) -> String {
    text(span, "db.statement").unwrap_or_default()
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
