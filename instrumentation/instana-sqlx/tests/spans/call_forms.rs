//! Call sites are those of sqlx: `forms.rs` is compiled with its types and with ours.

use super::*;

mod plain {
    mod types {
        pub(super) use sqlx::pool::PoolConnection;
        pub(super) use sqlx::{Pool, SqliteConnection, SqlitePool, SqliteTransaction};
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
    let (recorder, results) = record(traced::all(&traced)).await;
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
