//! `SELECT 1` on SQLite in memory, by a pool of one connection. SQLite has a
//! thread of its own.

use std::hint::black_box;

use super::Client;

/// A pool, and sqlx's own inside of it.
pub(super) struct Select<P, I> {
    pool: P,
    inner: I,
}

/// The same with each version of sqlx: by itself and traced.
macro_rules! client {
    ($sqlx:ident, $plain:ident, $traced:ident: $pool:ty) => {
        client!($sqlx: $sqlx::SqlitePool);
        client!($sqlx: $pool);

        pub(super) async fn $plain()
        -> Result<Select<$sqlx::SqlitePool, $sqlx::SqlitePool>, String> {
            let inner = $sqlx::sqlite::SqlitePoolOptions::new()
                .max_connections(1)
                .connect("sqlite::memory:")
                .await
                .map_err(|error| error.to_string())?;
            let pool = inner.clone();
            Ok(Select { pool, inner })
        }

        pub(super) async fn $traced() -> Result<Select<$pool, $sqlx::SqlitePool>, String> {
            let Select { pool, inner } = $plain().await?;
            let pool = pool.into();
            Ok(Select { pool, inner })
        }
    };
    ($sqlx:ident: $pool:ty) => {
        impl Client for Select<$pool, $sqlx::SqlitePool> {
            async fn call(&mut self) -> Result<(), String> {
                let one: i64 = $sqlx::query_scalar("SELECT 1")
                    .fetch_one(&self.pool)
                    .await
                    .map_err(|error| error.to_string())?;
                black_box(one);
                Ok(())
            }

            /// A task brings the connection back, which tests it before.
            async fn ready(&mut self) {
                while self.inner.num_idle() == 0 {
                    std::thread::yield_now();
                    tokio::task::yield_now().await;
                }
            }
        }
    };
}

#[cfg(feature = "sqlx")]
client!(sqlx, plain, traced: instana_sqlx::SqlitePool);
#[cfg(feature = "sqlx-tracing")]
client!(sqlx_08, older_plain, older_traced: sqlx_tracing::Pool<sqlx_08::Sqlite>);
