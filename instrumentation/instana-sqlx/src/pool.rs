use std::fmt;
use std::future::Future;
use std::sync::Arc;

use instana::span::Attempt;
use instana::{FutureExt, Span};
use sqlx::pool::{CloseEvent, PoolOptions};
use sqlx::{Error, SqlSafeStr, SqlStr};

use crate::backend::{Backend, Options};
use crate::builder::PoolBuilder;
use crate::connection::Inner;
use crate::destination::{Destination, Overrides};
use crate::error::fail;
use crate::record::{failed, got_connection};
use crate::shared_destination::SharedDestination;
use crate::{Connection, PoolConnection, Transaction};

/// [`sqlx::Pool`], whose statements are recorded.
///
/// ```
/// # async fn f() -> Result<(), sqlx::Error> {
/// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
/// let pool = instana_sqlx::Pool::from(pool);
/// let one: i64 = sqlx::query_scalar("SELECT 1").fetch_one(&pool).await?;
/// # Ok(())
/// # }
/// ```
pub struct Pool<DB: Backend> {
    inner: sqlx::Pool<DB>,
    shared: Arc<Shared>,
}

/// The state that the clones of a pool share.
struct Shared {
    destination: SharedDestination,
    overrides: Overrides,
}

impl<DB: Backend> Pool<DB> {
    /// Options of a pool that wraps `pool`.
    pub fn builder(pool: sqlx::Pool<DB>) -> PoolBuilder<DB> {
        PoolBuilder::new(pool)
    }

    pub(crate) fn new(inner: sqlx::Pool<DB>, overrides: Overrides) -> Self {
        let first = overrides.destination::<DB>(&inner.connect_options());
        Self {
            inner,
            shared: Arc::new(Shared {
                destination: SharedDestination::new(first),
                overrides,
            }),
        }
    }

    /// As [`sqlx::Pool::connect`]. Only a failure is recorded.
    ///
    /// # Errors
    /// As sqlx's.
    pub fn connect(url: &str) -> impl Future<Output = Result<Self, Error>> + Send + use<DB> {
        let connecting = url.parse().map(Self::connect_with);
        async { connecting?.await }
    }

    /// As [`sqlx::Pool::connect_with`]. Only a failure is recorded.
    ///
    /// # Errors
    /// As sqlx's.
    pub fn connect_with(
        options: Options<DB>,
    ) -> impl Future<Output = Result<Self, Error>> + Send + use<DB> {
        let attempt = Attempt::start(|| Destination::of::<DB>(&options).exit(""));
        let connecting = PoolOptions::new().connect_with(options);
        async { attempt.watch(connecting, fail::<DB>).await.map(Self::from) }
    }

    /// As [`sqlx::Pool::connect_lazy`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn connect_lazy(url: &str) -> Result<Self, Error> {
        sqlx::Pool::connect_lazy(url).map(Self::from)
    }

    /// As [`sqlx::Pool::connect_lazy_with`].
    pub fn connect_lazy_with(options: Options<DB>) -> Self {
        Self::from(sqlx::Pool::connect_lazy_with(options))
    }

    /// As [`sqlx::Pool::acquire`]. A failure is recorded. The connection's first
    /// statement records how long it took.
    pub fn acquire(
        &self,
    ) -> impl Future<Output = Result<PoolConnection<DB>, Error>> + Send + use<DB> {
        let (destination, acquiring) = (self.destination(), self.inner.acquire());
        let attempt = Attempt::start(|| destination.exit(""));
        async move {
            let (connection, waited) = attempt.measure(acquiring, fail::<DB>).await?;
            Ok(Self::connection(connection, destination, waited))
        }
    }

    /// As [`sqlx::Pool::try_acquire`].
    pub fn try_acquire(&self) -> Option<PoolConnection<DB>> {
        let connection = self.inner.try_acquire()?;
        Some(Self::connection(connection, self.destination(), None))
    }

    /// As [`sqlx::Pool::begin`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn begin(&self) -> impl Future<Output = Result<Transaction<'static, DB>, Error>> + Send {
        self.begin_by(None)
    }

    /// As [`sqlx::Pool::begin_with`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> impl Future<Output = Result<Transaction<'static, DB>, Error>> + Send {
        self.begin_by(Some(statement.into_sql_str()))
    }

    /// As [`sqlx::Pool::try_begin`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn try_begin(
        &self,
    ) -> impl Future<Output = Result<Option<Transaction<'static, DB>>, Error>> + Send {
        self.try_begin_by(None)
    }

    /// As [`sqlx::Pool::try_begin_with`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn try_begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> impl Future<Output = Result<Option<Transaction<'static, DB>>, Error>> + Send {
        self.try_begin_by(Some(statement.into_sql_str()))
    }

    /// As [`sqlx::Pool::close`].
    pub fn close(&self) -> impl Future<Output = ()> + '_ {
        self.inner.close()
    }

    /// As [`sqlx::Pool::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// As [`sqlx::Pool::close_event`].
    pub fn close_event(&self) -> CloseEvent {
        self.inner.close_event()
    }

    /// As [`sqlx::Pool::size`].
    pub fn size(&self) -> u32 {
        self.inner.size()
    }

    /// As [`sqlx::Pool::num_idle`].
    pub fn num_idle(&self) -> usize {
        self.inner.num_idle()
    }

    /// As [`sqlx::Pool::connect_options`].
    pub fn connect_options(&self) -> Arc<Options<DB>> {
        self.inner.connect_options()
    }

    /// As [`sqlx::Pool::set_connect_options`]. Spans of calls from now on, on all clones of
    /// this pool, have the new address.
    pub fn set_connect_options(&self, options: Options<DB>) {
        let destination = self.shared.overrides.destination::<DB>(&options);
        self.inner.set_connect_options(options);
        self.shared.destination.replace(destination);
    }

    /// As [`sqlx::Pool::options`].
    pub fn options(&self) -> &PoolOptions<DB> {
        self.inner.options()
    }

    /// The wrapped pool, for migrations, listeners, `COPY` and everything else that needs
    /// sqlx's own type. Statements on it are not recorded.
    pub fn inner(&self) -> &sqlx::Pool<DB> {
        &self.inner
    }

    /// Takes the pool out.
    pub fn into_inner(self) -> sqlx::Pool<DB> {
        self.inner
    }

    /// Starts the exit of a statement.
    #[inline]
    pub(crate) fn exit(&self, statement: &str) -> Span {
        self.shared.destination.exit(statement)
    }

    fn destination(&self) -> Arc<Destination> {
        self.shared.destination.get()
    }

    fn connection(
        connection: sqlx::pool::PoolConnection<DB>,
        destination: Arc<Destination>,
        waited: Option<u64>,
    ) -> PoolConnection<DB> {
        let connection = Connection::new(Inner::Pooled(connection), destination);
        PoolConnection::new(connection.waited(waited))
    }

    /// One span for both steps: `BEGIN` waits for a connection as other statements do.
    fn begin_by(
        &self,
        statement: Option<SqlStr>,
    ) -> impl Future<Output = Result<Transaction<'static, DB>, Error>> + Send {
        let span = self.begin_span(statement.as_ref());
        let is_recording = span.is_recording();
        let begun = async move {
            let connection = self.inner.acquire().await?;
            if is_recording {
                got_connection();
            }
            let connection = Connection::new(Inner::Pooled(connection), self.destination());
            Transaction::begin_on(connection, statement).await
        };
        begun.in_span_with(span, failed::<DB, _>)
    }

    fn try_begin_by(
        &self,
        statement: Option<SqlStr>,
    ) -> impl Future<Output = Result<Option<Transaction<'static, DB>>, Error>> + Send {
        let begin = Attempt::new(self.begin_span(statement.as_ref()));
        async move {
            let Some(connection) = self.inner.try_acquire() else {
                return Ok(None);
            };
            let connection = Connection::new(Inner::Pooled(connection), self.destination());
            let begun = Transaction::begin_on(connection, statement);
            let begun = begun.in_span_with(begin.into_span(), failed::<DB, _>);
            begun.await.map(Some)
        }
    }

    fn begin_span(&self, statement: Option<&SqlStr>) -> Span {
        self.exit(statement.map_or("BEGIN", SqlStr::as_str))
    }
}

impl<DB: Backend> From<sqlx::Pool<DB>> for Pool<DB> {
    fn from(pool: sqlx::Pool<DB>) -> Self {
        Self::new(pool, Overrides::default())
    }
}

impl<DB: Backend> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: self.shared.clone(),
        }
    }
}

impl<DB: Backend> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
