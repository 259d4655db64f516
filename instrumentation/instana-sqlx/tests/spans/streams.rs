//! Statements whose rows come one by one.

use futures_util::{StreamExt, TryStreamExt, poll};
use sqlx::Either;

use super::*;

const MANY: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) \
                    SELECT i FROM n";

#[tokio::test]
async fn a_stream_is_one_span_from_its_first_poll_to_its_end() {
    let pool = pool().await;
    let work = async {
        let rows = sqlx::query_scalar::<_, i64>(MANY).fetch(&pool);
        rows.try_fold(0, |sum, row| async move { Ok(sum + row) })
            .await
    };
    let recorder = Recorder::new();
    let sum = recorder.in_entry(work).await;
    assert_eq!(sum.unwrap(), 50_005_000);
    let exit = exit(&recorder);
    assert_eq!(
        (exit.integer("data.sdk.custom.tags.rows"), exit.errors()),
        (Some(10_000), 0)
    );
    assert!(
        exit.integer("data.sdk.custom.tags.first_row_ms").unwrap()
            <= exit.duration().try_into().unwrap()
    );
}

#[tokio::test]
async fn who_wants_no_more_rows_has_not_given_up() {
    let pool = pool().await;
    let work = async {
        let rows = sqlx::query_scalar::<_, i64>(MANY).fetch(&pool);
        rows.take(3).try_collect::<Vec<_>>().await
    };
    let recorder = Recorder::new();
    let rows = recorder.in_entry(work).await;
    assert_eq!(rows.unwrap(), [1, 2, 3]);
    let exit = exit(&recorder);
    assert_eq!(
        (exit.integer("data.sdk.custom.tags.rows"), exit.errors()),
        (Some(3), 0)
    );
}

#[tokio::test]
async fn who_goes_away_while_the_database_works_has() {
    let pool = pool().await;
    let work = async {
        let held = pool.acquire().await.unwrap();
        let mut rows = sqlx::query_scalar::<_, i64>(MANY).fetch(&pool);
        assert!(poll!(rows.next()).is_pending());
        drop(rows);
        let mut one = Box::pin(sqlx::query("SELECT 1").fetch_optional(&pool));
        assert!(poll!(&mut one).is_pending());
        drop(one);
        drop(held);
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let exits = exits(&recorder);
    assert_eq!(exits.len(), 2);
    for exit in exits {
        let error = exit.error_text().unwrap();
        assert!(error.starts_with("cancelled after "), "{error}");
        assert_eq!(exit.errors(), 1);
    }
}

#[tokio::test]
async fn an_error_behind_some_rows_ends_the_stream() {
    let pool = pool().await;
    let work = async {
        // The sum of the third row is too large.
        let rows =
            sqlx::query("SELECT abs(column1) FROM (VALUES (1), (2), (-9223372036854775808))");
        let mut rows = rows.fetch(&pool);
        let mut count = 0;
        while let Some(row) = rows.next().await {
            if row.is_err() {
                return count;
            }
            count += 1;
        }
        unreachable!("it fails")
    };
    let recorder = Recorder::new();
    let count = recorder.in_entry(work).await;
    assert_eq!(count, 2);
    let exit = exit(&recorder);
    assert!(exit.error_text().unwrap().contains("integer overflow"));
    assert_eq!(exit.errors(), 1);
}

#[tokio::test]
async fn results_of_several_statements_are_passed_on() {
    let pool = pool().await;
    let work = async {
        let text = "INSERT INTO item (name) VALUES ('salt'); SELECT 1; SELECT 2";
        let steps = sqlx::raw_sql(text).fetch_many(&pool);
        let is_row = |step| matches!(step, Either::Right(_));
        steps.map_ok(is_row).try_collect::<Vec<_>>().await
    };
    let recorder = Recorder::new();
    let steps = recorder.in_entry(work).await;
    assert_eq!(steps.unwrap(), [false, true, false, true, false]);
    assert_eq!(exits(&recorder).len(), 1);
}

#[tokio::test]
async fn a_stream_has_the_parent_of_the_call() {
    let pool = pool().await;
    let recorder = Recorder::new();
    let rows = recorder
        .in_entry(async { sqlx::query(MANY).fetch(&pool) })
        .await;
    let other = recorder.scope(async {
        let count = rows.count();
        count.in_span(instana::entry_span("other")).await
    });
    assert_eq!(other.await, 10_000);
    let job = recorder.labelled("job");
    assert_eq!(recorder.children(&job).len(), 1);
    assert_eq!(recorder.children(&recorder.labelled("other")).len(), 0);
}
