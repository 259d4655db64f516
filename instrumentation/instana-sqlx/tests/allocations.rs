//! What a statement allocates on its thread, beside what it does with sqlx alone.
#![expect(
    unsafe_code,
    clippy::unwrap_used,
    reason = "an allocator that counts is unsafe to write; a test that meets something unexpected \
              ends there"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use futures_util::TryStreamExt;
use instana::FutureExt;
use instana::testing::Recorder;
use sqlx::Executor;
use sqlx::sqlite::SqlitePoolOptions;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Counts the allocations of each thread.
struct Counting;

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: u64 = 200;

/// Allocations of one execution, most of the time: waking up another thread may cost
/// more.
macro_rules! allocations {
    ($work:expr) => {{
        let mut counts = Vec::new();
        for _ in 0..ROUNDS {
            let before = COUNT.get();
            $work;
            counts.push(COUNT.get() - before);
        }
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied().unwrap()
    }};
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
    let plain = SqlitePoolOptions::new().max_connections(1);
    let plain = plain.connect("sqlite::memory:").await.unwrap();
    let traced = instana_sqlx::Pool::from(plain.clone());

    let streamed = allocations!(stream(&plain).await);
    let optionals = allocations!(optional(&plain).await);
    assert_eq!(allocations!(stream(&traced).await), streamed);
    assert_eq!(allocations!(optional(&traced).await), optionals);

    // What a recorder keeps grows now and then; spans of the process do not.
    let recorder = Recorder::new();
    let work = async {
        assert_eq!(allocations!(stream(&traced).await), streamed + 1);
        assert_eq!(allocations!(optional(&traced).await), optionals + 1);
    };
    recorder
        .scope(async { work.in_span(instana::entry_span("job")).await })
        .await;
    assert_eq!(recorder.spans().len() as u64, 1 + 2 * ROUNDS);

    let mut plain = plain.acquire().await.unwrap();
    let streamed = allocations!(stream(&mut *plain).await);
    drop(plain);
    let mut traced = traced.acquire().await.unwrap();
    let work = async {
        assert_eq!(allocations!(stream(&mut *traced).await), streamed + 1);
    };
    recorder
        .scope(async { work.in_span(instana::entry_span("job")).await })
        .await;
}
