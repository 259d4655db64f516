//! bb8.

use bb8::ManageConnection;
use redis::RedisError;

use crate::{Client, MultiplexedConnection};

macro_rules! manage {
    ($($client:ty => $connection:ty, $connect:ident;)+) => {
        $(impl ManageConnection for $client {
            type Connection = $connection;
            type Error = RedisError;

            async fn connect(&self) -> Result<Self::Connection, Self::Error> {
                self.$connect().await
            }

            async fn is_valid(&self, connection: &mut Self::Connection) -> Result<(), Self::Error> {
                self.inner().is_valid(connection.inner_mut()).await
            }

            fn has_broken(&self, connection: &mut Self::Connection) -> bool {
                self.inner().has_broken(connection.inner_mut())
            }
        })+
    };
}

manage! {
    Client => MultiplexedConnection, get_multiplexed_async_connection;
}

#[cfg(feature = "cluster-async")]
manage! {
    crate::cluster::ClusterClient => crate::cluster_async::ClusterConnection, get_async_connection;
}
