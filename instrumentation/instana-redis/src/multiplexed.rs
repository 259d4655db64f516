//! The multiplexed connection.

use std::time::Duration;

use redis::{RedisResult, ToRedisArgs};

use crate::Traced;
use crate::forward::forward;

/// [`redis::aio::MultiplexedConnection`], whose commands are recorded.
pub type MultiplexedConnection = Traced<redis::aio::MultiplexedConnection>;

impl MultiplexedConnection {
    forward! {
        redis::aio::MultiplexedConnection;
        packed commands;
        async fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        fn set_response_timeout(&mut self, timeout: Duration);
        async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
    }
}
