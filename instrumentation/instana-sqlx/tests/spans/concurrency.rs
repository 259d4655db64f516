//! Many tasks, each in a trace of its own.

use sqlx::AssertSqlSafe;

use super::*;

const TASKS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_exit_has_a_foreign_parent() {
    let options = SqlitePoolOptions::new().max_connections(4);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    let pool = SqlitePool::from(pool);
    let recorder = Recorder::new();
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let pool = pool.clone();
            let work = async move {
                let entry = instana::entry_span(&format!("job {number}"));
                statements(&pool, number).in_span(entry).await;
            };
            tokio::spawn(recorder.scope(work))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for number in 0..TASKS {
        let entry = recorder.labelled(&format!("job {number}"));
        let exits = recorder.children(&entry);
        assert_eq!(exits.len(), 6, "{number}");
        for exit in exits {
            let text = statement(&exit);
            let is_own = text.ends_with(&format!(" AS n{number}"));
            assert!(
                is_own || ["BEGIN", "COMMIT"].contains(&text.as_str()),
                "{text} of {number}"
            );
            assert_eq!((exit.errors(), exit.trace()), (0, entry.trace()));
        }
    }
}

async fn statements(pool: &SqlitePool, number: usize) {
    let sql = |text: &str| AssertSqlSafe(format!("{text} AS n{number}"));
    sqlx::query(sql("SELECT 1")).execute(pool).await.unwrap();
    tokio::task::yield_now().await;
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(sql("SELECT 2"))
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    sqlx::query(sql("SELECT 3"))
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    sqlx::query(sql("SELECT 4"))
        .fetch_optional(pool)
        .await
        .unwrap();
}
