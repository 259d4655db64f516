//! The connection that connects again.

use redis::{RedisResult, ToRedisArgs};

use crate::Traced;
use crate::forward::forward;

/// [`redis::aio::ConnectionManager`], whose commands are recorded. A command that
/// waits for a new connection takes that long.
pub type ConnectionManager = Traced<redis::aio::ConnectionManager>;

impl ConnectionManager {
    forward! {
        redis::aio::ConnectionManager;
        packed commands;
        async fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
    }
}
