//! Async connections to clusters: see [`cluster`](crate::cluster).

use instana::FutureExt;
use redis::cluster_async;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, Pipeline, RedisResult, ToRedisArgs, Value};

use crate::command::{Kind, Name};
use crate::forward::forward;
use crate::{Traced, exit, reply};

/// [`redis::cluster_async::ClusterConnection`], whose commands are recorded.
pub type ClusterConnection = Traced<cluster_async::ClusterConnection>;

impl ClusterConnection {
    /// As [`redis::cluster_async::ClusterConnection::route_command`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub async fn route_command(
        &mut self,
        command: Cmd,
        routing: RoutingInfo,
    ) -> RedisResult<Value> {
        let mut span = exit::start();
        if !span.is_recording() {
            return self.inner.route_command(command, routing).await;
        }
        let name = Name::of(&command);
        let kind = Kind::of_command(&name, &command);
        exit::command(&mut span, &self.target, &name);
        let future = self.inner.route_command(command, routing);
        let future = future.in_span_with(span, |span, result| {
            reply::answered(span, kind, || name, result);
        });
        future.await
    }

    /// As [`redis::cluster_async::ClusterConnection::route_pipeline`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub async fn route_pipeline(
        &mut self,
        pipeline: Pipeline,
        offset: usize,
        count: usize,
        route: SingleNodeRoutingInfo,
    ) -> RedisResult<Vec<Value>> {
        let is_atomic = pipeline.is_transaction();
        let mut span = exit::start();
        if span.is_recording() {
            let names = pipeline.cmd_iter().map(Name::of);
            exit::pipeline(&mut span, &self.target, is_atomic, pipeline.len(), names);
        }
        let future = self.inner.route_pipeline(pipeline, offset, count, route);
        let future = future.in_span_with(span, |span, result| {
            reply::all_answered(span, is_atomic, result);
        });
        future.await
    }

    forward! {
        redis::cluster_async::ClusterConnection;
        async fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()>;
        async fn ssubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn sunsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
        async fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()>;
    }
}
