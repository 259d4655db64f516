//! Pools of deadpool, without deadpool-redis.
//!
//! ```no_run
//! use redis::AsyncCommands;
//!
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! let client = instana_redis::Client::open("redis://cache/")?;
//! let pool = instana_redis::deadpool::Pool::builder(client).max_size(16).build()?;
//! let name: Option<String> = pool.get().await?.get("name").await?;
//! # Ok(())
//! # }
//! ```

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisError, RedisFuture, Value};

use crate::{Client, MultiplexedConnection};

/// A pool of connections. Its manager is the [`Client`].
pub type Pool = managed::Pool<Client, Connection>;

/// The error of [`Pool::get`](managed::Pool::get).
pub type PoolError = managed::PoolError<RedisError>;

/// A connection of the pool: a `ConnectionLike` as deadpool-redis's is.
#[derive(Debug)]
pub struct Connection(managed::Object<Client>);

impl Connection {
    /// Takes the connection out of its pool.
    #[must_use = "the pool has one connection less"]
    pub fn take(this: Self) -> MultiplexedConnection {
        managed::Object::take(this.0)
    }
}

impl From<managed::Object<Client>> for Connection {
    fn from(object: managed::Object<Client>) -> Self {
        Self(object)
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        self.0.req_packed_command(command)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.0.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}

impl managed::Manager for Client {
    type Type = MultiplexedConnection;
    type Error = RedisError;

    async fn create(&self) -> Result<MultiplexedConnection, RedisError> {
        self.get_multiplexed_async_connection().await
    }

    /// A connection that has changed its state is dropped: transactions end here.
    async fn recycle(
        &self,
        connection: &mut MultiplexedConnection,
        _: &Metrics,
    ) -> RecycleResult<RedisError> {
        let mut check = Pipeline::with_capacity(2);
        check.cmd("UNWATCH").ignore().cmd("PING");
        let (answer,): (String,) = check.query_async(connection.inner_mut()).await?;
        match answer.as_str() {
            "PONG" => Ok(()),
            _ => Err(RecycleError::message("the answer to PING is not its own")),
        }
    }
}
