use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use instana::Span;
use sqlx::database::HasStatementCache;
use sqlx::{Connection as _, Error, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;

use crate::attempt::Attempt;
use crate::backend::{Backend, Options};
use crate::destination::Destination;
use crate::outcome::POOL_WAIT;
use crate::transaction::Transaction;

/// A connection such as [`sqlx::PgConnection`], whose statements are recorded: one
/// of its own, or what a [`PoolConnection`](crate::PoolConnection) or a [`Transaction`]
/// dereferences to.
pub struct Connection<DB: Backend> {
    inner: Inner<DB>,
    destination: Arc<Destination>,
    /// Milliseconds, until a statement has told of them.
    pool_wait: Option<u64>,
}

pub(crate) enum Inner<DB: Backend> {
    Own(DB::Connection),
    Pooled(sqlx::pool::PoolConnection<DB>),
}

impl<DB: Backend> Connection<DB> {
    pub(crate) fn new(inner: Inner<DB>, destination: Arc<Destination>) -> Self {
        Self {
            inner,
            destination,
            pool_wait: None,
        }
    }

    pub(crate) fn waited(self, pool_wait: Option<u64>) -> Self {
        Self { pool_wait, ..self }
    }

    pub(crate) fn into_parts(self) -> (Inner<DB>, Arc<Destination>) {
        (self.inner, self.destination)
    }

    /// As [`sqlx::Connection::connect`]. Only a failure is recorded.
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(&url.parse()?).await
    }

    /// As [`sqlx::Connection::connect_with`]. Only a failure is recorded.
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn connect_with(options: &Options<DB>) -> Result<Self, Error> {
        let destination = Destination::of::<DB>(options);
        let attempt = Attempt::new(destination.exit(""));
        let connecting = DB::Connection::connect_with(options);
        let connection = attempt.watch(connecting).await?;
        Ok(Self::new(Inner::Own(connection), Arc::new(destination)))
    }

    /// A connection of sqlx that was made with these options.
    pub fn with_options(connection: DB::Connection, options: &Options<DB>) -> Self {
        let destination = Destination::of::<DB>(options);
        Self::new(Inner::Own(connection), Arc::new(destination))
    }

    /// As [`sqlx::Connection::begin`].
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>, Error> {
        Transaction::begin(self, None).await
    }

    /// As [`sqlx::Connection::begin_with`].
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn begin_with(
        &mut self,
        statement: impl SqlSafeStr,
    ) -> Result<Transaction<'_, DB>, Error> {
        Transaction::begin(self, Some(statement.into_sql_str())).await
    }

    /// As [`sqlx::Connection::transaction`].
    ///
    /// # Errors
    /// Those of `callback`, and as sqlx's.
    pub async fn transaction<'a, F, R, E>(&'a mut self, callback: F) -> Result<R, E>
    where
        for<'c> F:
            FnOnce(&'c mut Transaction<'_, DB>) -> BoxFuture<'c, Result<R, E>> + 'a + Send + Sync,
        R: Send,
        E: From<Error> + Send,
    {
        let mut transaction = self.begin().await?;
        match callback(&mut transaction).await {
            Ok(result) => {
                transaction.commit().await?;
                Ok(result)
            }
            Err(error) => {
                transaction.rollback().await?;
                Err(error)
            }
        }
    }

    /// As [`sqlx::Connection::is_in_transaction`].
    pub fn is_in_transaction(&self) -> bool {
        self.depth() != 0
    }

    /// As [`sqlx::Connection::ping`]. Only a failure is recorded.
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn ping(&mut self) -> Result<(), Error> {
        let attempt = self.attempt("");
        attempt.watch(self.inner_mut().ping()).await
    }

    /// As [`sqlx::Connection::close`].
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn close(self) -> Result<(), Error> {
        match self.inner {
            Inner::Own(connection) => connection.close().await,
            Inner::Pooled(connection) => connection.close().await,
        }
    }

    /// As [`sqlx::Connection::cached_statements_size`].
    pub fn cached_statements_size(&self) -> usize
    where
        DB: HasStatementCache,
    {
        self.inner().cached_statements_size()
    }

    /// As [`sqlx::Connection::clear_cached_statements`].
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn clear_cached_statements(&mut self) -> Result<(), Error>
    where
        DB: HasStatementCache,
    {
        self.inner_mut().clear_cached_statements().await
    }

    /// As [`sqlx::Connection::shrink_buffers`].
    pub fn shrink_buffers(&mut self) {
        self.inner_mut().shrink_buffers();
    }

    /// The wrapped connection.
    pub fn inner(&self) -> &DB::Connection {
        match &self.inner {
            Inner::Own(connection) => connection,
            Inner::Pooled(connection) => connection,
        }
    }

    /// The wrapped connection. What is executed on it is not recorded.
    pub fn inner_mut(&mut self) -> &mut DB::Connection {
        match &mut self.inner {
            Inner::Own(connection) => connection,
            Inner::Pooled(connection) => connection,
        }
    }

    pub(crate) fn held(&mut self) -> &mut Inner<DB> {
        &mut self.inner
    }

    pub(crate) fn depth(&self) -> usize {
        DB::TransactionManager::get_transaction_depth(self.inner())
    }

    /// Starts the exit of a statement, the first of which tells how long the pool took.
    pub(crate) fn statement(&mut self, statement: &str) -> Span {
        let mut span = self.destination.exit(statement);
        if span.is_recording()
            && let Some(millis) = self.pool_wait.take()
        {
            span.tag(POOL_WAIT, millis);
        }
        span
    }

    /// As [`statement`](Self::statement), for a call that is not one.
    pub(crate) fn attempt(&self, statement: &str) -> Attempt {
        Attempt::new(self.destination.exit(statement))
    }
}

/// For what takes sqlx's connection, such as advisory locks. Nothing of it is
/// recorded.
impl<DB: Backend> AsMut<DB::Connection> for Connection<DB> {
    fn as_mut(&mut self) -> &mut DB::Connection {
        self.inner_mut()
    }
}

impl<DB: Backend> AsRef<DB::Connection> for Connection<DB> {
    fn as_ref(&self) -> &DB::Connection {
        self.inner()
    }
}

impl<DB: Backend> fmt::Debug for Connection<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("is_pooled", &matches!(self.inner, Inner::Pooled(_)))
            .finish_non_exhaustive()
    }
}
