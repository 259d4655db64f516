//! The multiplexed connection.

use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, ToRedisArgs, Value};

use crate::Traced;
use crate::forward::forward;

/// [`redis::aio::MultiplexedConnection`], whose commands are recorded.
pub type MultiplexedConnection = Traced<redis::aio::MultiplexedConnection>;

impl MultiplexedConnection {
    /// As [`redis::aio::MultiplexedConnection::send_packed_command`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub fn send_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        self.req_packed_command(command)
    }

    /// As [`redis::aio::MultiplexedConnection::send_packed_commands`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub fn send_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.req_packed_commands(pipeline, offset, count)
    }

    forward! {
        redis::aio::MultiplexedConnection;
        async fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        fn set_response_timeout(&mut self, timeout: Duration);
        async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
    }
}
