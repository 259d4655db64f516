use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use instana::Span;
use instana::span::Attempt;
use sqlx::database::HasStatementCache;
use sqlx::{Connection as _, Error, SqlSafeStr};
use sqlx_core::transaction::TransactionManager;

use crate::backend::{Backend, Options};
use crate::destination::Destination;
use crate::error::fail;
use crate::record::POOL_WAIT;
use crate::transaction::Transaction;

/// A connection such as `sqlx::PgConnection`, whose statements are recorded: one
/// of its own, or what a [`PoolConnection`](crate::PoolConnection) or a [`Transaction`]
/// dereferences to.
pub struct Connection<DB: Backend> {
    inner: Inner<DB>,
    destination: Arc<Destination>,
    /// Milliseconds until the pool had the connection; taken by the first statement.
    pool_wait: Option<u64>,
    /// Transactions and savepoints that are open. sqlx's own count lags behind for SQLite,
    /// because it counts on another thread.
    depth: usize,
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
            depth: 0,
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
    pub fn connect(url: &str) -> impl Future<Output = Result<Self, Error>> + Send + use<DB> {
        let options = url.parse().map(|options: Options<DB>| {
            let attempt = attempt::<DB>(&options);
            (options, attempt)
        });
        async {
            let (options, attempt) = options?;
            connected(&options, attempt).await
        }
    }

    /// As [`sqlx::Connection::connect_with`]. Only a failure is recorded.
    ///
    /// # Errors
    /// As sqlx's.
    pub fn connect_with(
        options: &Options<DB>,
    ) -> impl Future<Output = Result<Self, Error>> + Send + '_ {
        connected(options, attempt::<DB>(options))
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
    pub fn begin(&mut self) -> impl Future<Output = Result<Transaction<'_, DB>, Error>> + Send {
        Transaction::begin(self, None)
    }

    /// As [`sqlx::Connection::begin_with`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn begin_with(
        &mut self,
        statement: impl SqlSafeStr,
    ) -> impl Future<Output = Result<Transaction<'_, DB>, Error>> + Send {
        Transaction::begin(self, Some(statement.into_sql_str()))
    }

    /// As [`sqlx::Connection::transaction`].
    ///
    /// # Errors
    /// The errors of `callback`, and the errors of sqlx's method.
    pub fn transaction<'a, F, R, E>(
        &'a mut self,
        callback: F,
    ) -> impl Future<Output = Result<R, E>> + Send + 'a
    where
        for<'c> F:
            FnOnce(&'c mut Transaction<'_, DB>) -> BoxFuture<'c, Result<R, E>> + 'a + Send + Sync,
        R: Send,
        E: From<Error> + Send,
    {
        let begun = self.begin();
        async move {
            let mut transaction = begun.await?;
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
    }

    /// As [`sqlx::Connection::is_in_transaction`].
    pub fn is_in_transaction(&self) -> bool {
        DB::TransactionManager::get_transaction_depth(self.inner()) != 0
    }

    /// As [`sqlx::Connection::ping`]. Only a failure is recorded.
    ///
    /// # Errors
    /// As sqlx's.
    pub fn ping(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        let attempt = self.attempt("");
        attempt.watch(self.inner_mut().ping(), fail::<DB>)
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

    /// The wrapped connection. Statements on it are not recorded.
    pub fn inner_mut(&mut self) -> &mut DB::Connection {
        match &mut self.inner {
            Inner::Own(connection) => connection,
            Inner::Pooled(connection) => connection,
        }
    }

    /// Takes the connection out. A pooled connection, as after [`std::mem::swap`] with the
    /// connection of a [`PoolConnection`](crate::PoolConnection), is detached from its pool.
    pub fn into_inner(self) -> DB::Connection {
        match self.inner {
            Inner::Own(connection) => connection,
            Inner::Pooled(connection) => connection.detach(),
        }
    }

    pub(crate) fn held(&mut self) -> &mut Inner<DB> {
        &mut self.inner
    }

    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    pub(crate) fn set_depth(&mut self, depth: usize) {
        self.depth = depth;
    }

    /// Starts the exit of a statement. The first one records how long the pool took.
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

/// The start of a call of `connect`.
fn attempt<DB: Backend>(options: &Options<DB>) -> (Destination, Attempt) {
    let destination = Destination::of::<DB>(options);
    let attempt = Attempt::start(|| destination.exit(""));
    (destination, attempt)
}

async fn connected<DB: Backend>(
    options: &Options<DB>,
    (destination, attempt): (Destination, Attempt),
) -> Result<Connection<DB>, Error> {
    let connecting = DB::Connection::connect_with(options);
    let connection = attempt.watch(connecting, fail::<DB>).await?;
    let inner = Inner::Own(connection);
    Ok(Connection::new(inner, Arc::new(destination)))
}

/// For functions that take sqlx's connection, such as advisory locks. Their statements
/// are not recorded.
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
