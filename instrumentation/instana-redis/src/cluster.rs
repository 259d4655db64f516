//! Clusters.
//!
//! Which node answers a command is not known outside of redis's client. `connection`
//! is the first of the nodes that the client was made with.

use std::fmt;
use std::time::Duration;

use redis::cluster::{self, ClusterPipeline};
use redis::cluster_routing::RoutingInfo;
use redis::{Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisResult, Value};

use crate::command::{Kind, Name};
use crate::connect::connect;
use crate::forward::forward;
use crate::{Target, Traced, error, exit, reply};
#[cfg(feature = "cluster-async")]
use crate::{cluster_async, connect::connect_async};

/// [`redis::cluster::ClusterConnection`], whose commands are recorded.
pub type ClusterConnection = Traced<cluster::ClusterConnection>;

/// [`redis::cluster::ClusterClient`], whose connections record their commands.
#[derive(Clone)]
pub struct ClusterClient {
    inner: cluster::ClusterClient,
    target: Target,
}

impl ClusterClient {
    /// As [`redis::cluster::ClusterClient::new`].
    ///
    /// # Errors
    /// As redis's.
    pub fn new<T: IntoConnectionInfo>(
        initial_nodes: impl IntoIterator<Item = T>,
    ) -> RedisResult<Self> {
        let nodes = initial_nodes
            .into_iter()
            .map(IntoConnectionInfo::into_connection_info)
            .collect::<RedisResult<Vec<ConnectionInfo>>>()?;
        let target = nodes.first().map_or(Target::unknown(), Target::from);
        let inner = cluster::ClusterClient::new(nodes)?;
        Ok(Self { inner, target })
    }

    /// Wraps a client of redis's
    /// [`ClusterClientBuilder`](redis::cluster::ClusterClientBuilder), which does not show
    /// its nodes: `target` is one of them, or a name for the cluster.
    ///
    /// ```
    /// use instana_redis::cluster::ClusterClient;
    ///
    /// # fn f() -> redis::RedisResult<()> {
    /// let nodes = ["redis://cache-1/", "redis://cache-2/"];
    /// let client = redis::cluster::ClusterClient::builder(nodes).retries(2).build()?;
    /// let client = ClusterClient::with_target(client, nodes[0]);
    /// assert_eq!(client.target().to_string(), "cache-1:6379");
    /// # Ok(())
    /// # }
    /// # f().unwrap();
    /// ```
    pub fn with_target(inner: cluster::ClusterClient, target: impl Into<Target>) -> Self {
        let target = target.into();
        Self { inner, target }
    }

    /// As [`redis::cluster::ClusterClient::get_connection`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection(&self) -> RedisResult<ClusterConnection> {
        connect(&self.target, || self.inner.get_connection())
    }

    /// As [`redis::cluster::ClusterClient::get_connection_with_config`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection_with_config(
        &self,
        config: cluster::ClusterConfig,
    ) -> RedisResult<ClusterConnection> {
        connect(&self.target, || {
            self.inner.get_connection_with_config(config)
        })
    }

    /// The target of its commands.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The wrapped client.
    pub fn inner(&self) -> &cluster::ClusterClient {
        &self.inner
    }

    /// Takes the client out.
    pub fn into_inner(self) -> cluster::ClusterClient {
        self.inner
    }
}

#[cfg(feature = "cluster-async")]
impl ClusterClient {
    /// As [`redis::cluster::ClusterClient::get_async_connection`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_async_connection(
        &self,
    ) -> impl Future<Output = RedisResult<cluster_async::ClusterConnection>> {
        connect_async(&self.target, self.inner.get_async_connection())
    }

    /// As [`redis::cluster::ClusterClient::get_async_connection_with_config`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_async_connection_with_config(
        &self,
        config: cluster::ClusterConfig,
    ) -> impl Future<Output = RedisResult<cluster_async::ClusterConnection>> {
        let connection = self.inner.get_async_connection_with_config(config);
        connect_async(&self.target, connection)
    }

    /// As [`redis::cluster::ClusterClient::get_pending_async_connection_with_config`].
    pub fn get_pending_async_connection_with_config(
        &self,
        config: cluster::ClusterConfig,
    ) -> cluster_async::ClusterConnection {
        let connection = self.inner.get_pending_async_connection_with_config(config);
        Traced::with_target(connection, &self.target)
    }
}

impl From<cluster::ClusterClient> for ClusterClient {
    fn from(inner: cluster::ClusterClient) -> Self {
        Self::with_target(inner, Target::unknown())
    }
}

impl From<&ClusterClient> for Target {
    fn from(client: &ClusterClient) -> Self {
        client.target.clone()
    }
}

// The client's own `Debug` output may show passwords.
impl fmt::Debug for ClusterClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterClient")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl ClusterConnection {
    /// As [`ClusterPipeline::query`], which takes redis's own connection only:
    /// `connection.query_pipeline(&pipeline)` in place of
    /// `pipeline.query(&mut connection)`.
    ///
    /// # Errors
    /// As redis's.
    pub fn query_pipeline<T: FromRedisValue>(
        &mut self,
        pipeline: &ClusterPipeline,
    ) -> RedisResult<T> {
        let mut span = exit::start();
        if !span.is_recording() {
            return pipeline.query(&mut self.inner);
        }
        let names = pipeline.cmd_iter().map(Name::of);
        let count = pipeline.cmd_iter().count();
        exit::pipeline(&mut span, &self.target, false, count, names);
        let result = span.enter(|| pipeline.query(&mut self.inner));
        if let Err(error) = &result {
            error::record(&mut span, Name::of_pipeline(false), error);
        }
        result
    }

    /// As [`redis::cluster::ClusterConnection::route_command`], recorded.
    ///
    /// # Errors
    /// As redis's.
    pub fn route_command(&mut self, command: &Cmd, routing: RoutingInfo) -> RedisResult<Value> {
        let mut span = exit::start();
        if !span.is_recording() {
            return self.inner.route_command(command, routing);
        }
        let name = Name::of(command);
        let kind = Kind::of_command(&name, command);
        exit::command(&mut span, &self.target, &name);
        let result = span.enter(|| self.inner.route_command(command, routing));
        reply::answered(&mut span, kind, || name, &result);
        result
    }

    forward! {
        redis::cluster::ClusterConnection;
        fn set_auto_reconnect(&self, value: bool);
        fn set_read_timeout(&self, timeout: Option<Duration>) -> RedisResult<()>;
        fn set_write_timeout(&self, timeout: Option<Duration>) -> RedisResult<()>;
    }
}
