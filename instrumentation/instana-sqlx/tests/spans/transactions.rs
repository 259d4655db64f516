//! Transactions and savepoints.

use futures_util::poll;
use instana::testing::Recorder;
use instana_sqlx::{SqliteConnection, SqliteTransaction};

use super::*;

const INSERT: &str = "INSERT INTO item (name) VALUES (?)";

async fn insert(connection: &mut SqliteConnection, name: &str) {
    let query = sqlx::query(INSERT).bind(name.to_owned());
    query.execute(connection).await.unwrap();
}

async fn names(pool: &SqlitePool) -> i64 {
    let query = sqlx::query_scalar("SELECT count(*) FROM item");
    query.fetch_one(pool.inner()).await.unwrap()
}

#[tokio::test]
async fn begin_and_commit_are_statements() {
    let pool = pool().await;
    let work = async {
        let mut tx = pool.begin().await.unwrap();
        insert(&mut tx, "salt").await;
        sqlx::query(INSERT)
            .bind("oil")
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(INSERT)
            .bind("rice")
            .execute(tx.as_mut())
            .await
            .unwrap();
        assert!(tx.is_in_transaction());
        tx.commit().await.unwrap();
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let expected = ["BEGIN", INSERT, INSERT, INSERT, "COMMIT"];
    assert_eq!(outline(&recorder), expected);
    let waits: Vec<_> = exits(&recorder)
        .iter()
        .map(|exit| exit.integer("data.sdk.custom.tags.pool_wait_ms"))
        .collect();
    assert!(waits[0].is_some(), "for BEGIN");
    assert_eq!(waits[1..], [None; 4]);
    assert_eq!(names(&pool).await, 6);
}

#[tokio::test]
async fn rollbacks_are_recorded_asked_for_or_not() {
    let pool = pool().await;
    let work = async {
        let mut tx = pool.begin().await.unwrap();
        insert(&mut tx, "salt").await;
        tx.rollback().await.unwrap();
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        insert(&mut tx, "salt").await;
        drop(tx);
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let expected = [
        "BEGIN",
        INSERT,
        "ROLLBACK",
        "BEGIN IMMEDIATE",
        INSERT,
        "ROLLBACK",
    ];
    assert_eq!(outline(&recorder), expected);
    assert_eq!(names(&pool).await, 3);
}

#[tokio::test]
async fn savepoints_have_the_names_that_sqlx_gives_them() {
    let pool = pool().await;
    let work = async {
        let mut tx = pool.begin().await.unwrap();
        {
            let mut inner = tx.begin().await.unwrap();
            insert(&mut inner, "salt").await;
            let mut innermost = inner.begin().await.unwrap();
            insert(&mut innermost, "oil").await;
            innermost.rollback().await.unwrap();
            inner.commit().await.unwrap();
        }
        let mut dropped = tx.begin().await.unwrap();
        insert(&mut dropped, "rice").await;
        drop(dropped);
        tx.commit().await.unwrap();
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let expected = [
        "BEGIN",
        "SAVEPOINT _sqlx_savepoint_1",
        INSERT,
        "SAVEPOINT _sqlx_savepoint_2",
        INSERT,
        "ROLLBACK TO SAVEPOINT _sqlx_savepoint_2",
        "RELEASE SAVEPOINT _sqlx_savepoint_1",
        "SAVEPOINT _sqlx_savepoint_1",
        INSERT,
        "ROLLBACK TO SAVEPOINT _sqlx_savepoint_1",
        "COMMIT",
    ];
    assert_eq!(outline(&recorder), expected);
    assert_eq!(names(&pool).await, 4, "salt is kept");
}

/// SQLite's worker may not have rolled back yet what is dropped.
#[tokio::test]
async fn what_follows_a_rollback_by_drop_has_its_own_name() {
    let pool = pool().await;
    let work = async {
        let mut connection = pool.acquire().await.unwrap();
        for _ in 0..100 {
            drop(connection.begin().await.unwrap());
            let mut tx = connection.begin().await.unwrap();
            drop(tx.begin().await.unwrap());
            tx.commit().await.unwrap();
        }
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let expected = [
        "BEGIN",
        "ROLLBACK",
        "BEGIN",
        "SAVEPOINT _sqlx_savepoint_1",
        "ROLLBACK TO SAVEPOINT _sqlx_savepoint_1",
        "COMMIT",
    ];
    assert_eq!(outline(&recorder), expected.repeat(100));
}

#[tokio::test]
async fn a_callback_decides_by_its_result() {
    let pool = pool().await;
    let work = async {
        let mut connection = pool.acquire().await.unwrap();
        let kept = connection.transaction(|tx: &mut SqliteTransaction<'_>| {
            Box::pin(async move {
                insert(tx, "salt").await;
                Ok::<_, sqlx::Error>(7)
            })
        });
        assert_eq!(kept.await.unwrap(), 7);
        let undone = connection.transaction(|tx: &mut SqliteTransaction<'_>| {
            Box::pin(async move {
                insert(tx, "oil").await;
                Err::<(), _>(sqlx::Error::RowNotFound)
            })
        });
        assert!(undone.await.is_err());
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let expected = ["BEGIN", INSERT, "COMMIT", "BEGIN", INSERT, "ROLLBACK"];
    assert_eq!(outline(&recorder), expected);
    assert_eq!(names(&pool).await, 4);
}

#[tokio::test]
async fn a_failed_begin_is_recorded_and_rolled_back_by_nobody() {
    let pool = pool().await;
    let work = async {
        assert!(pool.begin_with("BEGI").await.is_err());
        let mut tx = pool.begin().await.unwrap();
        let nested = tx.begin_with("BEGIN IMMEDIATE").await;
        assert!(matches!(
            nested,
            Err(sqlx::Error::InvalidSavePointStatement)
        ));
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    let outline = outline(&recorder);
    assert_eq!(outline[..3], ["BEGI !", "BEGIN", "BEGIN IMMEDIATE !"]);
    assert_eq!(names(&pool).await, 3);
}

#[tokio::test]
async fn a_begin_that_waits_in_vain_is_an_error() {
    let pool = pool_that_waits(Duration::from_secs(1)).await;
    let work = async {
        let held = pool.acquire().await.unwrap();
        assert!(pool.try_begin().await.unwrap().is_none());
        assert!(matches!(pool.begin().await, Err(sqlx::Error::PoolTimedOut)));
        let mut begun = Box::pin(pool.begin());
        assert!(poll!(&mut begun).is_pending());
        drop(begun);
        drop(held);
    };
    let recorder = Recorder::new();
    recorder.in_entry(work).await;
    assert_eq!(outline(&recorder), ["BEGIN !", "BEGIN !"]);
    let exits = exits(&recorder);
    assert!(exits[0].error_text().unwrap().contains("timed out"));
    assert!(exits[0].duration() >= 999);
    assert!(exits[1].error_text().unwrap().starts_with("cancelled"));
}

#[tokio::test]
async fn a_transaction_that_is_not_traced_is_rolled_back_as_well() {
    let pool = pool().await;
    let recorder = Recorder::new();
    let work = async {
        let mut tx = pool.begin().await.unwrap();
        insert(&mut tx, "salt").await;
    };
    recorder.scope(work).await;
    recorder.assert_empty();
    assert_eq!(names(&pool).await, 3);
}
