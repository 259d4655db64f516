use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx::Error;

use crate::Connection;
use crate::backend::Backend;
use crate::connection::Inner;

/// [`sqlx::pool::PoolConnection`], whose statements are recorded. Dropped, it goes back to
/// its pool.
pub struct PoolConnection<DB: Backend> {
    connection: Connection<DB>,
}

impl<DB: Backend> PoolConnection<DB> {
    pub(crate) fn new(connection: Connection<DB>) -> Self {
        Self { connection }
    }

    /// As [`sqlx::pool::PoolConnection::close`].
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn close(self) -> Result<(), Error> {
        self.connection.close().await
    }

    /// As [`sqlx::pool::PoolConnection::close_on_drop`].
    pub fn close_on_drop(&mut self) {
        if let Inner::Pooled(connection) = self.connection.held() {
            connection.close_on_drop();
        }
    }

    /// As [`sqlx::pool::PoolConnection::detach`]; [`Connection::into_inner`] then takes sqlx's
    /// own out.
    pub fn detach(self) -> Connection<DB> {
        self.take(sqlx::pool::PoolConnection::detach)
    }

    /// As [`sqlx::pool::PoolConnection::leak`]; [`Connection::into_inner`] then takes sqlx's
    /// own out.
    pub fn leak(self) -> Connection<DB> {
        self.take(sqlx::pool::PoolConnection::leak)
    }

    fn take(
        self,
        take: impl FnOnce(sqlx::pool::PoolConnection<DB>) -> DB::Connection,
    ) -> Connection<DB> {
        let (inner, destination) = self.connection.into_parts();
        let inner = match inner {
            Inner::Own(connection) => connection,
            Inner::Pooled(connection) => take(connection),
        };
        Connection::new(Inner::Own(inner), destination)
    }
}

impl<DB: Backend> Deref for PoolConnection<DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<DB: Backend> DerefMut for PoolConnection<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

/// The connection whose statements are recorded, as by `&mut *connection`.
impl<DB: Backend> AsMut<Connection<DB>> for PoolConnection<DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        self
    }
}

impl<DB: Backend> AsRef<Connection<DB>> for PoolConnection<DB> {
    fn as_ref(&self) -> &Connection<DB> {
        self
    }
}

impl<DB: Backend> fmt::Debug for PoolConnection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConnection").finish_non_exhaustive()
    }
}
