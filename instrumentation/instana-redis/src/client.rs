//! The client.

#[cfg(feature = "connection-manager")]
use redis::aio::ConnectionManagerConfig;
#[cfg(feature = "aio")]
use redis::{
    AsyncConnectionConfig,
    aio::{Monitor, PubSub},
};
use redis::{Cmd, ConnectionInfo, ConnectionLike, IntoConnectionInfo, RedisResult, Value};
use std::time::Duration;

#[cfg(feature = "connection-manager")]
use crate::ConnectionManager;
#[cfg(feature = "aio")]
use crate::MultiplexedConnection;
use crate::connect::connect;
#[cfg(feature = "aio")]
use crate::connect::connect_async;
use crate::{Connection, Target, Traced};

/// [`redis::Client`], whose connections record their commands.
///
/// It is a `ConnectionLike` as redis's is: each command then has a connection of its own.
#[derive(Clone, Debug)]
pub struct Client(Traced<redis::Client>);

impl Client {
    /// As [`redis::Client::open`].
    ///
    /// # Errors
    /// As redis's.
    pub fn open<T: IntoConnectionInfo>(params: T) -> RedisResult<Self> {
        redis::Client::open(params).map(Self::from)
    }

    /// As [`redis::Client::get_connection`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection(&self) -> RedisResult<Connection> {
        connect(self.target(), || self.inner().get_connection())
    }

    /// As [`redis::Client::get_connection_with_timeout`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection_with_timeout(&self, timeout: Duration) -> RedisResult<Connection> {
        connect(self.target(), || {
            self.inner().get_connection_with_timeout(timeout)
        })
    }

    /// As [`redis::Client::get_connection_info`].
    pub fn get_connection_info(&self) -> &ConnectionInfo {
        self.inner().get_connection_info()
    }

    /// The target of its commands.
    pub fn target(&self) -> &Target {
        self.0.target()
    }

    /// The wrapped client.
    pub fn inner(&self) -> &redis::Client {
        self.0.inner()
    }

    /// Takes the client out.
    pub fn into_inner(self) -> redis::Client {
        self.0.into_inner()
    }
}

#[cfg(feature = "aio")]
impl Client {
    /// As [`redis::Client::get_multiplexed_async_connection`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_multiplexed_async_connection(
        &self,
    ) -> impl Future<Output = RedisResult<MultiplexedConnection>> {
        let connection = self.inner().get_multiplexed_async_connection();
        connect_async(self.target(), connection)
    }

    /// As [`redis::Client::get_multiplexed_async_connection_with_config`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_multiplexed_async_connection_with_config(
        &self,
        config: &AsyncConnectionConfig,
    ) -> impl Future<Output = RedisResult<MultiplexedConnection>> {
        let inner = self.inner();
        let connection = inner.get_multiplexed_async_connection_with_config(config);
        connect_async(self.target(), connection)
    }

    /// As [`redis::Client::get_async_pubsub`]. What comes in by it is not recorded.
    ///
    /// # Errors
    /// As redis's.
    pub fn get_async_pubsub(&self) -> impl Future<Output = RedisResult<PubSub>> {
        let connection = connect_async(self.target(), self.inner().get_async_pubsub());
        async { Ok(connection.await?.into_inner()) }
    }

    /// As [`redis::Client::get_async_monitor`]. What comes in by it is not recorded.
    ///
    /// # Errors
    /// As redis's.
    pub fn get_async_monitor(&self) -> impl Future<Output = RedisResult<Monitor>> {
        let connection = connect_async(self.target(), self.inner().get_async_monitor());
        async { Ok(connection.await?.into_inner()) }
    }
}

#[cfg(feature = "connection-manager")]
impl Client {
    /// As [`redis::Client::get_connection_manager`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection_manager(&self) -> impl Future<Output = RedisResult<ConnectionManager>> {
        let connection = self.inner().get_connection_manager();
        connect_async(self.target(), connection)
    }

    /// As [`redis::Client::get_connection_manager_with_config`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection_manager_with_config(
        &self,
        config: ConnectionManagerConfig,
    ) -> impl Future<Output = RedisResult<ConnectionManager>> {
        let connection = self.inner().get_connection_manager_with_config(config);
        connect_async(self.target(), connection)
    }

    /// As [`redis::Client::get_connection_manager_lazy`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection_manager_lazy(
        &self,
        config: ConnectionManagerConfig,
    ) -> RedisResult<ConnectionManager> {
        let connection = self.inner().get_connection_manager_lazy(config)?;
        Ok(Traced::with_target(connection, self.target()))
    }
}

impl From<redis::Client> for Client {
    fn from(client: redis::Client) -> Self {
        let target = Target::from(&client);
        Self(Traced::with_target(client, target))
    }
}

impl From<&Client> for Target {
    fn from(client: &Client) -> Self {
        client.target().clone()
    }
}

impl ConnectionLike for Client {
    fn req_packed_command(&mut self, packed: &[u8]) -> RedisResult<Value> {
        self.0.req_packed_command(packed)
    }

    fn req_packed_commands(
        &mut self,
        packed: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.0.req_packed_commands(packed, offset, count)
    }

    fn req_command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.0.req_command(command)
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.0.supports_pipelining()
    }

    fn check_connection(&mut self) -> bool {
        self.0.check_connection()
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }
}
