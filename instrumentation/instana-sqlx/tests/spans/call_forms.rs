//! Call sites are those of sqlx: `forms.rs` is compiled with its types and with ours.

use super::*;

mod plain {
    mod types {
        pub(super) use sqlx::pool::PoolConnection;
        pub(super) use sqlx::{Connection, Pool, SqliteConnection, SqlitePool, SqliteTransaction};
    }

    include!("forms.rs");
}

mod traced {
    mod types {
        pub(super) use instana_sqlx::{
            Pool, PoolConnection, SqliteConnection, SqlitePool, SqliteTransaction,
        };
    }

    include!("forms.rs");
}

#[tokio::test]
async fn all_forms_do_what_they_do_with_sqlx() {
    let plain = pool().await.into_inner();
    let traced = pool().await;
    let expected = plain::all(&plain).await.unwrap();
    let recorder = Recorder::new();
    let results = recorder.in_entry(traced::all(&traced)).await;
    assert_eq!(results.unwrap(), expected);
    assert_eq!(expected.len(), 26);
    let exits = exits(&recorder);
    assert!(
        exits.iter().all(|exit| exit.errors() == 0),
        "{}",
        recorder.tree()
    );
    assert!(exits.len() > expected.len());
}

#[tokio::test]
async fn futures_are_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let pool = pool().await;
    let work = is_send(async move { traced::all(&pool).await.map(|all| all.len()) });
    assert_eq!(tokio::spawn(work).await.unwrap().unwrap(), 26);
}

/// Code that is generic over databases still compiles beside this crate.
async fn count<DB>(pool: &sqlx::Pool<DB>) -> usize
where
    DB: sqlx::Database,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    DB::Arguments: sqlx::IntoArguments<DB>,
{
    let mut connection = pool.acquire().await.unwrap();
    let all = sqlx::query("SELECT 1").fetch_all(&mut *connection).await;
    all.unwrap().len()
}

async fn count_traced<DB: instana_sqlx::Backend>(pool: &instana_sqlx::Pool<DB>) -> usize
where
    DB::Arguments: sqlx::IntoArguments<DB>,
{
    let mut connection = pool.acquire().await.unwrap();
    let all = sqlx::query("SELECT 1").fetch_all(&mut *connection).await;
    all.unwrap().len()
}

#[tokio::test]
async fn code_may_be_generic_over_databases() {
    let pool = pool().await;
    assert_eq!(count(pool.inner()).await, 1);
    let recorder = Recorder::new();
    let one = recorder.in_entry(count_traced(&pool)).await;
    assert_eq!((one, exits(&recorder).len()), (1, 1));
}
