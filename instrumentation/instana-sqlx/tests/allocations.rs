//! What a statement allocates on its thread, beside what it does with sqlx alone.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected ends there"
)]

use futures_util::TryStreamExt;
use instana::testing::Recorder;
use sqlx::Executor;
use sqlx::sqlite::SqlitePoolOptions;
use test_helpers::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 40;
const PAIRS: usize = 9;

/// Allocations of one execution, most of the time: waiting for another thread may cost
/// more.
macro_rules! allocations {
    ($work:expr) => {{
        let mut counts = Vec::new();
        for _ in 0..ROUNDS {
            let before = test_helpers::allocations();
            $work;
            counts.push((test_helpers::allocations() - before).cast_signed());
        }
        middle(counts)
    }};
}

/// Asserts what `$work` allocates beside `$plain`. On a busy machine SQLite's thread
/// answers late for a while: one of some pairs of measurements has to show it.
macro_rules! assert_added {
    ($expected:expr, $work:expr, $plain:expr) => {{
        let mut differences = Vec::new();
        for _ in 0..PAIRS {
            let plain = allocations!($plain);
            differences.push(allocations!($work) - plain);
        }
        assert!(differences.contains(&$expected), "{differences:?}");
    }};
}

fn middle(mut counts: Vec<isize>) -> isize {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied().unwrap()
}

async fn stream<'c>(executor: impl Executor<'c, Database = sqlx::Sqlite>) {
    let rows = sqlx::query("SELECT 1").fetch(executor);
    rows.try_collect::<Vec<_>>().await.unwrap();
}

async fn optional<'c>(executor: impl Executor<'c, Database = sqlx::Sqlite>) {
    sqlx::query("SELECT 1")
        .fetch_optional(executor)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_statement_costs_one_box_when_it_is_recorded_and_none_else() {
    let options = SqlitePoolOptions::new().max_connections(1);
    let plain = options.connect("sqlite::memory:").await.unwrap();
    let traced = instana_sqlx::Pool::from(plain.clone());
    assert_added!(0, stream(&traced).await, stream(&plain).await);
    assert_added!(0, optional(&traced).await, optional(&plain).await);

    // What a recorder keeps grows now and then; spans of the process do not.
    let recorder = Recorder::new();
    let work = async {
        assert_added!(1, stream(&traced).await, stream(&plain).await);
        assert_added!(1, optional(&traced).await, optional(&plain).await);
    };
    recorder.in_entry(work).await;
    assert_eq!(recorder.spans().len(), 1 + 2 * PAIRS * ROUNDS);

    let options = SqlitePoolOptions::new().max_connections(2);
    let plain = options.connect("sqlite::memory:").await.unwrap();
    let mut traced = instana_sqlx::Pool::from(plain.clone())
        .acquire()
        .await
        .unwrap();
    let mut plain = plain.acquire().await.unwrap();
    let work = async {
        assert_added!(1, stream(&mut *traced).await, stream(&mut *plain).await);
    };
    recorder.in_entry(work).await;
}
