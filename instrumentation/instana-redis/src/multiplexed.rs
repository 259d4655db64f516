//! The multiplexed connection.

use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisResult, ToRedisArgs, Value};

use crate::Traced;
use crate::forward::forward;

/// [`redis::aio::MultiplexedConnection`], whose commands are recorded.
pub type MultiplexedConnection = Traced<redis::aio::MultiplexedConnection>;

impl MultiplexedConnection {
    /// As [`redis::aio::MultiplexedConnection::send_packed_command`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub async fn send_packed_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.req_packed_command(command).await
    }

    /// As [`redis::aio::MultiplexedConnection::send_packed_commands`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub async fn send_packed_commands(
        &mut self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.req_packed_commands(pipeline, offset, count).await
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
