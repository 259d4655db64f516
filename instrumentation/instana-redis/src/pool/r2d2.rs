//! r2d2.

use r2d2::ManageConnection;
use redis::RedisError;

use crate::{Client, Connection};

macro_rules! manage {
    ($($client:ty => $connection:ty;)+) => {
        $(impl ManageConnection for $client {
            type Connection = $connection;
            type Error = RedisError;

            fn connect(&self) -> Result<Self::Connection, Self::Error> {
                self.get_connection()
            }

            fn is_valid(&self, connection: &mut Self::Connection) -> Result<(), Self::Error> {
                self.inner().is_valid(connection.inner_mut())
            }

            fn has_broken(&self, connection: &mut Self::Connection) -> bool {
                self.inner().has_broken(connection.inner_mut())
            }
        })+
    };
}

manage! {
    Client => Connection;
}

#[cfg(feature = "cluster")]
manage! {
    crate::cluster::ClusterClient => crate::cluster::ClusterConnection;
}
