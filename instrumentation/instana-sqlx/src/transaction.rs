use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};

use instana::span::Attempt;
use instana::{FutureExt, Span};
use sqlx::{Error, SqlStr};
use sqlx_core::transaction::{
    TransactionManager, begin_ansi_transaction_sql, commit_ansi_transaction_sql,
    rollback_ansi_transaction_sql,
};

use crate::Connection;
use crate::backend::Backend;
use crate::record::failed;

/// [`sqlx::Transaction`], whose statements are recorded, and with them `BEGIN`, `COMMIT`,
/// `ROLLBACK` or the statements for savepoints.
///
/// A transaction that is dropped without any of these is rolled back: sqlx sends the
/// `ROLLBACK` when the connection is used next or returned to its pool. It is recorded at
/// the drop, as an exit without duration.
pub struct Transaction<'c, DB: Backend> {
    connection: Held<'c, DB>,
    /// How deep it is, from 1 on; 0 as long as it has not begun.
    depth: usize,
    is_open: bool,
}

enum Held<'c, DB: Backend> {
    Borrowed(&'c mut Connection<DB>),
    Owned(Connection<DB>),
}

impl<'c, DB: Backend> Transaction<'c, DB> {
    /// Begins one on a connection, or a savepoint in its transaction.
    pub(crate) fn begin(
        connection: &'c mut Connection<DB>,
        statement: Option<SqlStr>,
    ) -> impl Future<Output = Result<Self, Error>> + Send {
        let depth = connection.depth();
        let span = match &statement {
            Some(statement) => connection.statement(statement.as_str()),
            None => connection.statement(begin_ansi_transaction_sql(depth).as_str()),
        };
        let begun = Self::start(Held::Borrowed(connection), statement);
        begun.in_span_with(span, failed::<DB, _>)
    }

    /// Begins one on a connection of its own, inside the current span.
    pub(crate) async fn begin_on(
        connection: Connection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self, Error> {
        Self::start(Held::Owned(connection), statement).await
    }

    /// As in sqlx: a transaction that fails or is cancelled is rolled back.
    async fn start(connection: Held<'c, DB>, statement: Option<SqlStr>) -> Result<Self, Error> {
        let mut transaction = Self {
            connection,
            depth: 0,
            is_open: true,
        };
        DB::TransactionManager::begin(transaction.inner_mut(), statement).await?;
        let depth = transaction.depth() + 1;
        transaction.depth = depth;
        transaction.set_depth(depth);
        Ok(transaction)
    }

    /// As [`sqlx::Transaction::commit`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn commit(mut self) -> impl Future<Output = Result<(), Error>> + Send {
        let commit = commit_ansi_transaction_sql(self.depth);
        // Never polled, it has done nothing.
        let call = Attempt::new(self.statement(commit.as_str()));
        async move {
            let (mut transaction, span) = (self, call.into_span());
            let commit = DB::TransactionManager::commit(transaction.inner_mut());
            commit.in_span_with(span, failed::<DB, _>).await?;
            transaction.end();
            Ok(())
        }
    }

    /// As [`sqlx::Transaction::rollback`].
    ///
    /// # Errors
    /// As sqlx's.
    pub fn rollback(mut self) -> impl Future<Output = Result<(), Error>> + Send {
        let call = Attempt::new(self.rollback_span());
        async move {
            let (mut transaction, span) = (self, call.into_span());
            let rollback = DB::TransactionManager::rollback(transaction.inner_mut());
            rollback.in_span_with(span, failed::<DB, _>).await?;
            transaction.end();
            Ok(())
        }
    }

    fn rollback_span(&mut self) -> Span {
        match self.depth {
            0 => Span::none(),
            depth => self.statement(rollback_ansi_transaction_sql(depth).as_str()),
        }
    }

    fn end(&mut self) {
        self.is_open = false;
        let outside = self.depth.saturating_sub(1);
        self.set_depth(outside);
    }
}

impl<DB: Backend> Deref for Transaction<'_, DB> {
    type Target = Connection<DB>;

    fn deref(&self) -> &Self::Target {
        match &self.connection {
            Held::Borrowed(connection) => connection,
            Held::Owned(connection) => connection,
        }
    }
}

impl<DB: Backend> DerefMut for Transaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.connection {
            Held::Borrowed(connection) => connection,
            Held::Owned(connection) => connection,
        }
    }
}

/// The connection whose statements are recorded, as by `&mut *transaction`.
impl<DB: Backend> AsMut<Connection<DB>> for Transaction<'_, DB> {
    fn as_mut(&mut self) -> &mut Connection<DB> {
        self
    }
}

impl<DB: Backend> Drop for Transaction<'_, DB> {
    fn drop(&mut self) {
        if self.is_open {
            self.rollback_span().end();
            DB::TransactionManager::start_rollback(self.inner_mut());
            if self.depth > 0 {
                self.end();
            }
        }
    }
}

impl<DB: Backend> fmt::Debug for Transaction<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}
