//! Connections, of a pool and without one.

use futures_util::poll;
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
    let (recorder, ()) = record(work).await;
    assert_eq!(outline(&recorder), ["SELECT 1", "SELECT 1"]);
    let exits = exits(&recorder);
    assert!(tag(&exits[0], "pool_wait_ms").is_some());
    assert!(tag(&exits[1], "pool_wait_ms").is_none());
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
    let (recorder, ()) = record(work).await;
    assert_eq!(outline(&recorder), [" !", "SELECT 1 !", " !", " !"]);
    let errors: Vec<_> = exits(&recorder)
        .iter()
        .map(|exit| text(exit, "db.error").unwrap())
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
    let (recorder, ()) = record(work).await;
    let exit = exit(&recorder);
    let wait = tag(&exit, "pool_wait_ms").unwrap();
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
    let (recorder, ()) = record(work).await;
    let expected = [
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (1)",
        "BEGIN",
        "ROLLBACK",
        " !",
    ];
    assert_eq!(outline(&recorder), expected);
    assert_eq!(
        text(&exits(&recorder)[4], "db.instance").unwrap(),
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
    let (recorder, ()) = record(work).await;
    assert_eq!(outline(&recorder), ["SELECT 1", "SELECT 2", "SELECT 3"]);
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
