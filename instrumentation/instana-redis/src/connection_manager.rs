//! The connection that connects again.

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, RedisResult, ToRedisArgs, Value};

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
    pub async fn send_packed_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.req_packed_command(command).await
    }

    /// As [`redis::aio::ConnectionManager::send_packed_commands`], recorded.
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
        redis::aio::ConnectionManager;
        async fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
    }
}
