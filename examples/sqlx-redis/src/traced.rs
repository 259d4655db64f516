//! Goods in SQLite, with Redis in front where `REDIS_URL` is set. `plain.rs` and
//! `traced.rs` are the same program but for three lines.

use instana_sqlx::SqlitePool;

use crate::requests::{Request, serve};
use crate::{Outcome, environment};

/// Seconds that Redis keeps what it is given.
const KEPT: i64 = 60;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Outcome<()> {
    let _guard = instana::init();
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    sqlx::raw_sql(include_str!("goods.sql"))
        .execute(&pool)
        .await?;
    let cache = match environment::redis() {
        Some(url) => {
            let client = instana_redis::Client::open(url)?;
            let connecting = client.get_multiplexed_async_connection().await;
            Some(connecting.map_err(|error| format!("Redis at REDIS_URL: {error}"))?)
        }
        None => None,
    };
    let mut goods = Goods { pool, cache };
    serve(async |request| match request {
        Request::Stock(id) => goods.stock(id).await,
        Request::Order(id, pieces) => goods.order(id, pieces).await,
    })
    .await
}

struct Goods<C> {
    pool: SqlitePool,
    cache: Option<C>,
}

impl<C: redis::AsyncCommands> Goods<C> {
    /// Cache aside: asks Redis, else SQLite, whose answer Redis then keeps.
    async fn stock(&mut self, id: &str) -> Outcome<String> {
        if let Some(cache) = &mut self.cache {
            let stock: Option<i64> = cache.get(key(id)).await?;
            if let Some(stock) = stock {
                return Ok(format!("{stock} in stock, says Redis"));
            }
        }
        let stock: Option<i64> = sqlx::query_scalar("SELECT stock FROM goods WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        let Some(stock) = stock else {
            return Ok("no such goods".to_owned());
        };
        if let Some(cache) = &mut self.cache {
            let () = cache.set_ex(key(id), stock, KEPT.unsigned_abs()).await?;
        }
        Ok(format!("{stock} in stock, says SQLite"))
    }

    /// A transaction; then a pipeline, for what Redis has of it.
    async fn order(&mut self, id: &str, pieces: i64) -> Outcome<String> {
        let mut transaction = self.pool.begin().await?;
        let taken =
            sqlx::query("UPDATE goods SET stock = stock - ?1 WHERE id = ?2 AND stock >= ?1")
                .bind(pieces)
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        if taken.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok("there are not so many".to_owned());
        }
        sqlx::query("INSERT INTO orders (id, pieces) VALUES (?, ?)")
            .bind(id)
            .bind(pieces)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        if let Some(cache) = &mut self.cache {
            let () = redis::pipe()
                .del(key(id))
                .incr(key("sold"), pieces)
                .expire(key("sold"), KEPT)
                .query_async(cache)
                .await?;
        }
        Ok("ordered".to_owned())
    }
}

/// Programs that share a server do not meet.
fn key(id: &str) -> String {
    format!("sqlx-redis:{}:{id}", std::process::id())
}
