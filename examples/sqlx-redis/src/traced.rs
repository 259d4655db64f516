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
            Some(client.get_multiplexed_async_connection().await?)
        }
        None => None,
    };
    let mut goods = Goods { pool, cache };
    serve(async |request| match request {
        Request::Stock(name) => goods.stock(name).await,
        Request::Order(name, pieces) => goods.order(name, pieces).await,
    })
    .await
}

struct Goods<C> {
    pool: SqlitePool,
    cache: Option<C>,
}

impl<C: redis::AsyncCommands> Goods<C> {
    /// Cache aside: asks Redis, else SQLite, whose answer Redis then keeps.
    async fn stock(&mut self, name: &str) -> Outcome<String> {
        if let Some(cache) = &mut self.cache {
            let stock: Option<i64> = cache.get(key(name)).await?;
            if let Some(stock) = stock {
                return Ok(format!("{stock} in stock, says Redis"));
            }
        }
        let stock: Option<i64> = sqlx::query_scalar("SELECT stock FROM goods WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        let Some(stock) = stock else {
            return Ok("no such goods".to_owned());
        };
        if let Some(cache) = &mut self.cache {
            let () = cache.set_ex(key(name), stock, KEPT.unsigned_abs()).await?;
        }
        Ok(format!("{stock} in stock, says SQLite"))
    }

    /// A transaction; then a pipeline, for what Redis has of it.
    async fn order(&mut self, name: &str, pieces: i64) -> Outcome<String> {
        let mut transaction = self.pool.begin().await?;
        let taken =
            sqlx::query("UPDATE goods SET stock = stock - ?1 WHERE name = ?2 AND stock >= ?1")
                .bind(pieces)
                .bind(name)
                .execute(&mut *transaction)
                .await?;
        if taken.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok("there are not so many".to_owned());
        }
        sqlx::query("INSERT INTO orders (name, pieces) VALUES (?, ?)")
            .bind(name)
            .bind(pieces)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        if let Some(cache) = &mut self.cache {
            let () = redis::pipe()
                .del(key(name))
                .incr(key("sold"), pieces)
                .expire(key("sold"), KEPT)
                .query_async(cache)
                .await?;
        }
        Ok("ordered".to_owned())
    }
}

/// Programs that share a server do not meet.
fn key(name: &str) -> String {
    format!("sqlx-redis:{}:{name}", std::process::id())
}
