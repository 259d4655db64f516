//! The connection that connects again.

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisFuture, RedisResult, ToRedisArgs, Value};

use crate::Traced;
use crate::forward::forward;

/// [`redis::aio::ConnectionManager`], whose commands are recorded. A command that
/// waits for a new connection takes that long.
pub type ConnectionManager = Traced<redis::aio::ConnectionManager>;

impl ConnectionManager {
    /// As [`redis::aio::ConnectionManager::send_packed_command`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub fn send_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        self.req_packed_command(command)
    }

    /// As [`redis::aio::ConnectionManager::send_packed_commands`], recorded.
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
        redis::aio::ConnectionManager;
        async fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
    }
}
