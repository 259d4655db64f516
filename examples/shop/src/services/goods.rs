//! The catalogue's goods: in SQLite, in memory; or in the servers that the
//! environment names: PostgreSQL, and Redis as a cache in front.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use instana_redis::ConnectionManager;
use instana_sqlx::{PgPool, SqlitePool};
use redis::AsyncCommands;
use redis::aio::ConnectionManagerConfig;
use sqlx::pool::PoolOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor};
use tokio::time::timeout;

use crate::{Outcome, environment};

/// How long a server may take to let us in.
const PATIENCE: Duration = Duration::from_secs(5);

/// Seconds that the cache keeps a name.
const KEPT: u64 = 60;

/// Every connection has a table of its own, so that shops which share a server do
/// not meet, and nothing is left there.
const FILL: &str = "
    CREATE TEMPORARY TABLE goods (id TEXT PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO goods (id, name) VALUES
        ('book', 'A book about rust'),
        ('lamp', 'A lamp'),
        ('slow', 'A clock that is slow'),
        ('heavy', 'An anvil'),
        ('broken', 'A mug without a price'),
        ('endless', 'A story without an end');";

#[derive(Clone)]
pub(super) struct Goods {
    shelf: Shelf,
    cache: Option<Cache>,
}

#[derive(Clone)]
enum Shelf {
    Embedded(SqlitePool),
    Server(PgPool),
}

#[derive(Clone)]
struct Cache {
    connection: ConnectionManager,
    /// No other shop's.
    prefix: String,
}

/// Where they are, for people.
pub(super) fn place() -> &'static str {
    match (environment::postgres(), environment::redis()) {
        (None, None) => "in SQLite, in the catalogue's memory",
        (None, Some(_)) => "in SQLite, with Redis as a cache",
        (Some(_), None) => "in PostgreSQL",
        (Some(_), Some(_)) => "in PostgreSQL, with Redis as a cache",
    }
}

impl Goods {
    /// Connects and puts the goods there.
    pub(super) async fn open() -> Outcome<Self> {
        let shelf = match environment::postgres() {
            Some(url) => Shelf::Server(
                server(&url)
                    .await
                    .map_err(|error| format!("PostgreSQL at POSTGRES_URL: {error}"))?,
            ),
            None => Shelf::Embedded(embedded().await?),
        };
        let cache = match environment::redis() {
            Some(url) => Some(
                Cache::open(&url)
                    .await
                    .map_err(|error| format!("Redis at REDIS_URL: {error}"))?,
            ),
            None => None,
        };
        Ok(Self { shelf, cache })
    }

    /// The name of an item: the cache's, or the shelf's, which is then kept.
    pub(super) async fn name(&self, id: &str) -> Result<Option<String>, sqlx::Error> {
        let Some(cache) = &self.cache else {
            return self.shelf.name(id).await;
        };
        if let Some(name) = cache.name(id).await {
            return Ok(Some(name));
        }
        let name = self.shelf.name(id).await?;
        if let Some(name) = &name {
            cache.keep(id, name).await;
        }
        Ok(name)
    }
}

impl Shelf {
    async fn name(&self, id: &str) -> Result<Option<String>, sqlx::Error> {
        let select = "SELECT name FROM goods WHERE id = $1";
        match self {
            Self::Embedded(pool) => {
                let query = sqlx::query_scalar(select).bind(id);
                query.fetch_optional(pool).await
            }
            Self::Server(pool) => {
                let query = sqlx::query_scalar(select).bind(id);
                query.fetch_optional(pool).await
            }
        }
    }
}

impl Cache {
    async fn open(url: &str) -> Outcome<Self> {
        let client = instana_redis::Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connecting = client.get_connection_manager_with_config(config);
        let connection = timeout(PATIENCE, connecting)
            .await
            .map_err(|_| format!("no connection within {PATIENCE:?}"))??;
        let shop = RandomState::new().hash_one(std::process::id());
        let prefix = format!("shop:{shop:x}:goods:");
        Ok(Self { connection, prefix })
    }

    /// A cache that cannot be reached counts as empty.
    async fn name(&self, id: &str) -> Option<String> {
        let mut connection = self.connection.clone();
        connection.get(self.key(id)).await.ok().flatten()
    }

    async fn keep(&self, id: &str, name: &str) {
        let mut connection = self.connection.clone();
        let kept: redis::RedisResult<()> = connection.set_ex(self.key(id), name, KEPT).await;
        // Then it is looked up once more.
        drop(kept);
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }
}

async fn embedded() -> Result<SqlitePool, sqlx::Error> {
    let pool = PoolOptions::new()
        .max_connections(2)
        .after_connect(|connection: &mut sqlx::SqliteConnection, _| {
            Box::pin(async move { connection.execute(FILL).await.map(drop) })
        })
        .connect("sqlite::memory:")
        .await?;
    Ok(SqlitePool::from(pool))
}

async fn server(url: &str) -> Outcome<PgPool> {
    let options: PgConnectOptions = url.parse()?;
    // A pool would try again and again, and not say what is wrong.
    let connecting = sqlx::PgConnection::connect_with(&options);
    let connection = timeout(PATIENCE, connecting)
        .await
        .map_err(|_| format!("no connection within {PATIENCE:?}"))??;
    connection.close().await?;
    let pool = PoolOptions::new()
        .max_connections(4)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection: &mut sqlx::PgConnection, _| {
            Box::pin(async move { connection.execute(FILL).await.map(drop) })
        })
        .connect_with(options)
        .await?;
    Ok(PgPool::from(pool))
}
