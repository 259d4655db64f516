//! Sentinels.
//!
//! `connection` is the server that the sentinels named. Requests to sentinels are not
//! recorded; if none of them knows the server, there is an exit with the command
//! `connect`.

use std::fmt;

#[cfg(feature = "aio")]
use redis::AsyncConnectionConfig;
use redis::sentinel::{self, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{IntoConnectionInfo, RedisResult};

use crate::{Client, Connection, Target, connect::connect};
#[cfg(feature = "aio")]
use crate::{MultiplexedConnection, connect::connect_async};

/// [`redis::sentinel::Sentinel`], whose clients record their commands.
pub struct Sentinel {
    inner: sentinel::Sentinel,
    target: Target,
}

type Node<'a> = Option<&'a SentinelNodeConnectionInfo>;

/// The first of the sentinels, which names the target if asking them fails.
fn first<T: IntoConnectionInfo>(
    params: Vec<T>,
) -> RedisResult<(Target, Vec<redis::ConnectionInfo>)> {
    let params = params
        .into_iter()
        .map(IntoConnectionInfo::into_connection_info)
        .collect::<RedisResult<Vec<_>>>()?;
    Ok((
        params.first().map_or(Target::unknown(), Target::from),
        params,
    ))
}

macro_rules! clients {
    ($($name:ident $name_async:ident $client:ty, $into:path;)+) => {
        $(
            #[doc = concat!("As [`redis::sentinel::Sentinel::", stringify!($name), "`].")]
            ///
            /// # Errors
            /// As redis's.
            pub fn $name(&mut self, service_name: &str, node: Node<'_>) -> RedisResult<$client> {
                let found = connect(&self.target, || self.inner.$name(service_name, node))?;
                Ok($into(found.into_inner()))
            }

            #[doc = concat!("As [`redis::sentinel::Sentinel::", stringify!($name_async), "`].")]
            ///
            /// # Errors
            /// As redis's.
            #[cfg(feature = "aio")]
            pub fn $name_async(
                &mut self,
                service_name: &str,
                node: Node<'_>,
            ) -> impl Future<Output = RedisResult<$client>> {
                let found = self.inner.$name_async(service_name, node);
                let found = connect_async(&self.target, found);
                async { Ok($into(found.await?.into_inner())) }
            }
        )+
    };
}

impl Sentinel {
    /// As [`redis::sentinel::Sentinel::build`].
    ///
    /// # Errors
    /// As redis's.
    pub fn build<T: IntoConnectionInfo>(params: Vec<T>) -> RedisResult<Self> {
        let (target, params) = first(params)?;
        let inner = sentinel::Sentinel::build(params)?;
        Ok(Self { inner, target })
    }

    clients! {
        master_for async_master_for Client, Client::from;
        replica_for async_replica_for Client, Client::from;
        replica_rotate_for async_replica_rotate_for Client, Client::from;
        get_replica_clients async_get_replica_clients Vec<Client>, all;
    }

    /// The wrapped sentinel.
    pub fn inner(&self) -> &sentinel::Sentinel {
        &self.inner
    }

    /// The wrapped sentinel.
    pub fn inner_mut(&mut self) -> &mut sentinel::Sentinel {
        &mut self.inner
    }

    /// Takes the sentinel out.
    pub fn into_inner(self) -> sentinel::Sentinel {
        self.inner
    }
}

fn all(clients: Vec<redis::Client>) -> Vec<Client> {
    clients.into_iter().map(Client::from).collect()
}

impl From<sentinel::Sentinel> for Sentinel {
    fn from(inner: sentinel::Sentinel) -> Self {
        let target = Target::unknown();
        Self { inner, target }
    }
}

impl fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinel")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// [`redis::sentinel::SentinelClient`], whose connections record their commands.
pub struct SentinelClient {
    inner: sentinel::SentinelClient,
    target: Target,
}

impl SentinelClient {
    /// As [`redis::sentinel::SentinelClient::build`].
    ///
    /// # Errors
    /// As redis's.
    pub fn build<T: IntoConnectionInfo>(
        params: Vec<T>,
        service_name: String,
        node: Option<SentinelNodeConnectionInfo>,
        server_type: SentinelServerType,
    ) -> RedisResult<Self> {
        let (target, params) = first(params)?;
        let inner = sentinel::SentinelClient::build(params, service_name, node, server_type)?;
        Ok(Self { inner, target })
    }

    /// As [`redis::sentinel::SentinelClient::get_client`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_client(&mut self) -> RedisResult<Client> {
        let found = connect(&self.target, || self.inner.get_client())?;
        Ok(Client::from(found.into_inner()))
    }

    /// As [`redis::sentinel::SentinelClient::get_sentinel_client`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_sentinel_client(&mut self) -> RedisResult<Client> {
        let found = connect(&self.target, || self.inner.get_sentinel_client())?;
        Ok(Client::from(found.into_inner()))
    }

    /// As [`redis::sentinel::SentinelClient::get_connection`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_connection(&mut self) -> RedisResult<Connection> {
        self.get_client()?.get_connection()
    }

    /// The wrapped client.
    pub fn inner(&self) -> &sentinel::SentinelClient {
        &self.inner
    }

    /// The wrapped client.
    pub fn inner_mut(&mut self) -> &mut sentinel::SentinelClient {
        &mut self.inner
    }

    /// Takes the client out.
    pub fn into_inner(self) -> sentinel::SentinelClient {
        self.inner
    }
}

#[cfg(feature = "aio")]
impl SentinelClient {
    /// As [`redis::sentinel::SentinelClient::async_get_client`].
    ///
    /// # Errors
    /// As redis's.
    pub fn async_get_client(&mut self) -> impl Future<Output = RedisResult<Client>> {
        let found = connect_async(&self.target, self.inner.async_get_client());
        async { Ok(Client::from(found.await?.into_inner())) }
    }

    /// As [`redis::sentinel::SentinelClient::async_get_sentinel_client`].
    ///
    /// # Errors
    /// As redis's.
    pub fn async_get_sentinel_client(&mut self) -> impl Future<Output = RedisResult<Client>> {
        let found = connect_async(&self.target, self.inner.async_get_sentinel_client());
        async { Ok(Client::from(found.await?.into_inner())) }
    }

    /// As [`redis::sentinel::SentinelClient::get_async_connection`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_async_connection(
        &mut self,
    ) -> impl Future<Output = RedisResult<MultiplexedConnection>> {
        let client = self.async_get_client();
        async { client.await?.get_multiplexed_async_connection().await }
    }

    /// As [`redis::sentinel::SentinelClient::get_async_connection_with_config`].
    ///
    /// # Errors
    /// As redis's.
    pub fn get_async_connection_with_config(
        &mut self,
        config: &AsyncConnectionConfig,
    ) -> impl Future<Output = RedisResult<MultiplexedConnection>> {
        let client = self.async_get_client();
        async {
            let client = client.await?;
            let connection = client.get_multiplexed_async_connection_with_config(config);
            connection.await
        }
    }
}

impl From<sentinel::SentinelClient> for SentinelClient {
    fn from(inner: sentinel::SentinelClient) -> Self {
        let target = Target::unknown();
        Self { inner, target }
    }
}

impl fmt::Debug for SentinelClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentinelClient")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
