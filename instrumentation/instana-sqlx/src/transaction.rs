use std::fmt;
use std::ops::{Deref, DerefMut};

use instana::{FutureExt, Span};
use sqlx::{Error, SqlStr};
use sqlx_core::transaction::{
    TransactionManager, begin_ansi_transaction_sql, commit_ansi_transaction_sql,
    rollback_ansi_transaction_sql,
};

use crate::Connection;
use crate::backend::Backend;
use crate::outcome::failed;

/// [`sqlx::Transaction`], whose statements are recorded, and with them `BEGIN`, `COMMIT`,
/// `ROLLBACK` or those of savepoints.
///
/// Dropped without any of these it is rolled back: sqlx sends the `ROLLBACK` when the
/// connection is used next or returned to its pool. It is recorded at the drop, as an exit
/// that takes no time.
pub struct Transaction<'c, DB: Backend> {
    connection: Held<'c, DB>,
    is_open: bool,
}

enum Held<'c, DB: Backend> {
    Borrowed(&'c mut Connection<DB>),
    Owned(Connection<DB>),
}

impl<'c, DB: Backend> Transaction<'c, DB> {
    /// Begins one on a connection, or a savepoint in its transaction.
    pub(crate) async fn begin(
        connection: &'c mut Connection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self, Error> {
        let depth = connection.depth();
        let span = match &statement {
            Some(statement) => connection.statement(statement.as_str()),
            None => connection.statement(begin_ansi_transaction_sql(depth).as_str()),
        };
        let begun = Self::start(Held::Borrowed(connection), statement);
        begun.in_span_with(span, failed).await
    }

    /// Begins one on a connection of its own, inside the current span.
    pub(crate) async fn begin_on(
        connection: Connection<DB>,
        statement: Option<SqlStr>,
    ) -> Result<Self, Error> {
        Self::start(Held::Owned(connection), statement).await
    }

    /// As sqlx does it: what fails or is given up is rolled back.
    async fn start(connection: Held<'c, DB>, statement: Option<SqlStr>) -> Result<Self, Error> {
        let mut transaction = Self {
            connection,
            is_open: true,
        };
        DB::TransactionManager::begin(transaction.inner_mut(), statement).await?;
        Ok(transaction)
    }

    /// As [`sqlx::Transaction::commit`].
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn commit(mut self) -> Result<(), Error> {
        let span = match self.depth() {
            0 => Span::none(),
            depth => self.statement(commit_ansi_transaction_sql(depth).as_str()),
        };
        let commit = DB::TransactionManager::commit(self.inner_mut());
        commit.in_span_with(span, failed).await?;
        self.is_open = false;
        Ok(())
    }

    /// As [`sqlx::Transaction::rollback`].
    ///
    /// # Errors
    /// As sqlx's.
    pub async fn rollback(mut self) -> Result<(), Error> {
        let span = self.rollback_span();
        let rollback = DB::TransactionManager::rollback(self.inner_mut());
        rollback.in_span_with(span, failed).await?;
        self.is_open = false;
        Ok(())
    }

    fn rollback_span(&mut self) -> Span {
        match self.depth() {
            0 => Span::none(),
            depth => self.statement(rollback_ansi_transaction_sql(depth).as_str()),
        }
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

/// As for a [`Connection`].
impl<DB: Backend> AsMut<DB::Connection> for Transaction<'_, DB> {
    fn as_mut(&mut self) -> &mut DB::Connection {
        self.inner_mut()
    }
}

impl<DB: Backend> Drop for Transaction<'_, DB> {
    fn drop(&mut self) {
        if self.is_open {
            self.rollback_span().end();
            DB::TransactionManager::start_rollback(self.inner_mut());
        }
    }
}

impl<DB: Backend> fmt::Debug for Transaction<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}
