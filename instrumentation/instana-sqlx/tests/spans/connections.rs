//! Connections, of a pool and without one.

use futures_util::{FutureExt as _, poll};
use instana::span::Kind;
use instana_sqlx::{Connection, SqliteConnection};
use sqlx::{Executor, Sqlite};

use super::*;

#[tokio::test]
async fn the_first_statement_tells_how_long_the_pool_took() {
    let pool = pool().await;
    let work = async {
        let mut connection = pool.acquire().await.unwrap();
        for _ in 0..2 {
            sqlx::query("SELECT 1")
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        connection.ping().await.unwrap();
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    assert_eq!(outline(&recorder), ["SELECT 1", "SELECT 1"]);
    let exits = exits(&recorder);
    assert!(
        exits[0]
            .integer("data.sdk.custom.tags.pool_wait_ms")
            .is_some()
    );
    assert!(
        exits[1]
            .integer("data.sdk.custom.tags.pool_wait_ms")
            .is_none()
    );
}

#[tokio::test]
async fn waiting_for_a_connection_in_vain_is_an_error() {
    let pool = pool_that_waits(Duration::from_secs(1)).await;
    let work = async {
        let held = pool.acquire().await.unwrap();
        assert!(pool.try_acquire().is_none());
        assert!(matches!(
            pool.acquire().await,
            Err(sqlx::Error::PoolTimedOut)
        ));
        let statement = sqlx::query("SELECT 1").execute(&pool).await;
        assert!(matches!(statement, Err(sqlx::Error::PoolTimedOut)));
        let mut given_up = Box::pin(pool.acquire());
        assert!(poll!(&mut given_up).is_pending());
        drop(given_up);
        drop(pool.acquire());
        drop(held);
        pool.close().await;
        assert!(pool.is_closed());
        assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolClosed)));
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    assert_eq!(outline(&recorder), [" !", "SELECT 1 !", " !", " !"]);
    let errors: Vec<_> = exits(&recorder)
        .iter()
        .map(|exit| exit.error_text().unwrap())
        .collect();
    assert!(errors[0].contains("timed out") && errors[1].contains("timed out"));
    assert!(errors[2].starts_with("cancelled after "));
    assert!(errors[3].contains("closed"));
}

#[tokio::test]
async fn the_wait_is_measured() {
    let pool = pool().await;
    let work = async {
        let held = pool.acquire().await.unwrap();
        let mut waiting = Box::pin(sqlx::query("SELECT 1").execute(&pool));
        assert!(poll!(&mut waiting).is_pending());
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(20) {
            tokio::task::yield_now().await;
        }
        drop(held);
        waiting.await.unwrap();
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let exit = exit(&recorder);
    let wait = exit.integer("data.sdk.custom.tags.pool_wait_ms").unwrap();
    assert!(
        wait >= 19 && wait <= exit.duration().try_into().unwrap(),
        "{wait}"
    );
}

#[tokio::test]
async fn a_connection_may_be_on_its_own() {
    let work = async {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("CREATE TABLE t (a)")
            .execute(&mut connection)
            .await
            .unwrap();
        connection
            .execute("INSERT INTO t VALUES (1)")
            .await
            .unwrap();
        let tx = connection.begin().await.unwrap();
        drop(tx);
        assert_eq!(connection.cached_statements_size(), 1);
        connection.clear_cached_statements().await.unwrap();
        connection.shrink_buffers();
        connection.close().await.unwrap();
        let missing = SqliteConnection::connect("sqlite:/no/such/folder/a.db").await;
        assert!(missing.is_err());
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let expected = [
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "BEGIN",
        "ROLLBACK",
        " !",
    ];
    assert_eq!(outline(&recorder), expected);
    assert_eq!(
        exits(&recorder)[4]
            .text("data.sdk.custom.tags.db.instance")
            .unwrap(),
        "/no/such/folder/a.db"
    );
}

#[tokio::test]
async fn detached_and_foreign_connections_are_traced() {
    let pool = pool().await;
    let work = async {
        let mut detached = pool.acquire().await.unwrap().detach();
        assert_eq!(pool.size(), 0);
        detached.execute("SELECT 1").await.unwrap();
        let options = pool.connect_options();
        let plain = sqlx::ConnectOptions::connect(&*options).await.unwrap();
        let mut wrapped = Connection::<Sqlite>::with_options(plain, &options);
        wrapped.execute("SELECT 2").await.unwrap();
        let mut leaked = pool.acquire().await.unwrap().leak();
        leaked.execute("SELECT 3").await.unwrap();
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    assert_eq!(outline(&recorder), ["SELECT 1", "SELECT 2", "SELECT 3"]);
}

#[tokio::test]
async fn connections_can_be_taken_out() {
    let pool = pool().await;
    let work = async {
        let mut own = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        own.execute("CREATE TABLE own (a)").await.unwrap();
        let mut own: sqlx::SqliteConnection = own.into_inner();
        own.execute("SELECT a FROM own").await.unwrap();

        let mut leaked = pool.acquire().await.unwrap().leak().into_inner();
        leaked.execute("SELECT name FROM item").await.unwrap();
        assert_eq!((pool.size(), pool.num_idle()), (1, 0));
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    assert_eq!(outline(&recorder), ["CREATE TABLE own (a)"]);
}

#[tokio::test]
async fn a_connection_that_is_taken_out_leaves_its_pool() {
    let pool = pool().await;
    let detached = pool.acquire().await.unwrap().detach().into_inner();
    assert_eq!(pool.size(), 0);
    drop(detached);

    let mut own = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let mut pooled = pool.acquire().await.unwrap();
    std::mem::swap(&mut own, &mut *pooled);
    assert_eq!(pool.size(), 1);
    let detached = own.into_inner();
    assert_eq!(pool.size(), 0);
    drop((detached, pooled));
    assert_eq!(pool.size(), 0);
}

#[tokio::test]
async fn a_connection_can_be_closed_instead_of_returned() {
    let pool = pool().await;
    pool.acquire().await.unwrap().close().await.unwrap();
    assert_eq!((pool.size(), pool.num_idle()), (0, 0));
    let mut connection = pool.acquire().await.unwrap();
    connection.close_on_drop();
    drop(connection);
    let pool = SqlitePool::connect_lazy("sqlite::memory:").unwrap();
    assert_eq!(pool.size(), 0);
    assert_eq!(pool.options().get_max_connections(), 10);
    assert!(format!("{pool:?}").starts_with("Pool"));
    let mut closed = pool.close_event();
    pool.close().await;
    (&mut closed).await;
}

/// Makes a call in the entry "job", and awaits it in the entry "other".
async fn called<F: Future>(recorder: &Recorder, call: impl FnOnce() -> F) -> F::Output {
    let call = recorder.enter_entry(call);
    let other = async { call.in_span(instana::entry_span("other")).await };
    recorder.scope(other).await
}

#[tokio::test]
async fn parents_are_those_of_the_call() {
    let (pool, recorder) = (pool().await, Recorder::new());
    let mut tx = called(&recorder, || pool.begin()).await.unwrap();
    let inner = called(&recorder, || tx.begin()).await.unwrap();
    called(&recorder, || inner.commit()).await.unwrap();
    called(&recorder, || tx.rollback()).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let done = called(&recorder, || {
        connection.transaction(|_| async { Ok::<_, sqlx::Error>(()) }.boxed())
    });
    done.await.unwrap();
    drop(connection);
    let immediate = loop {
        let begun = called(&recorder, || pool.try_begin_with("BEGIN IMMEDIATE"));
        if let Some(tx) = begun.await.unwrap() {
            break tx;
        }
        tokio::task::yield_now().await;
    };
    drop(immediate);
    let url = "sqlite:/no/such/folder/a.db";
    assert!(
        called(&recorder, || SqlitePool::connect(url))
            .await
            .is_err()
    );
    let alone = called(&recorder, || SqliteConnection::connect(url)).await;
    assert!(alone.is_err());
    pool.close().await;
    assert!(called(&recorder, || pool.acquire()).await.is_err());

    let spans = recorder.spans();
    let exits = spans.iter().filter(|span| span.kind() == Kind::Exit);
    let outline: Vec<_> = exits
        .map(|exit| {
            let parent = spans.iter().find(|span| span.id() == exit.parent());
            (parent.unwrap().label(), statement(exit))
        })
        .collect();
    let expected = [
        ("job", "BEGIN"),
        ("job", "SAVEPOINT _sqlx_savepoint_1"),
        ("job", "RELEASE SAVEPOINT _sqlx_savepoint_1"),
        ("job", "ROLLBACK"),
        ("job", "BEGIN"),
        // It is called when the callback is done.
        ("other", "COMMIT"),
        ("job", "BEGIN IMMEDIATE"),
        ("job", ""),
        ("job", ""),
        ("job", ""),
    ];
    let expected = expected.map(|(parent, text)| (parent.to_owned(), text.to_owned()));
    assert_eq!(outline, expected);
}

#[tokio::test]
async fn a_commit_that_is_never_awaited_is_a_rollback() {
    let pool = pool().await;
    let work = async {
        let tx = pool.begin().await.unwrap();
        drop(tx.commit());
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    assert_eq!(outline(&recorder), ["BEGIN", "ROLLBACK"]);
}
