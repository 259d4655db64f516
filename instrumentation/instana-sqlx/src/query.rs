//! A query whose text was read for the span, and which the driver still executes.

use std::fmt;

use sqlx::error::BoxDynError;
use sqlx::{Database, Execute, SqlStr, Statement};

use crate::record::got_connection;

/// The parts of a query. Reading its text takes it apart; this is the same query again
/// for the driver.
pub struct Observed<DB: Database> {
    text: Text<DB>,
    arguments: Result<Option<DB::Arguments>, BoxDynError>,
    persistent: bool,
    awaits_connection: bool,
}

enum Text<DB: Database> {
    Plain(SqlStr),
    Prepared(DB::Statement),
}

impl<DB: Database> Observed<DB> {
    pub(crate) fn new<'q>(mut query: impl Execute<'q, DB>) -> Self {
        let arguments = query.take_arguments();
        let persistent = query.persistent();
        let prepared = query.statement().cloned();
        Self {
            text: prepared.map_or_else(|| Text::Plain(query.sql()), Text::Prepared),
            arguments,
            persistent,
            awaits_connection: false,
        }
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        match &self.text {
            Text::Plain(sql) => sql.as_str(),
            Text::Prepared(statement) => statement.sql().as_str(),
        }
    }

    /// For a pool, which hands the query to a connection when it has one: how long
    /// that took is noted on the current span.
    pub(crate) fn for_pool(self) -> Self {
        Self {
            awaits_connection: true,
            ..self
        }
    }
}

impl<DB: Database> Execute<'_, DB> for Observed<DB> {
    fn sql(self) -> SqlStr {
        match self.text {
            Text::Plain(sql) => sql,
            Text::Prepared(statement) => statement.into_sql(),
        }
    }

    fn statement(&self) -> Option<&DB::Statement> {
        match &self.text {
            Text::Plain(_) => None,
            Text::Prepared(statement) => Some(statement),
        }
    }

    /// Drivers call this first.
    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        if std::mem::take(&mut self.awaits_connection) {
            got_connection();
        }
        std::mem::replace(&mut self.arguments, Ok(None))
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

/// Without the values.
impl<DB: Database> fmt::Debug for Observed<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("sql", &self.as_str())
            .finish_non_exhaustive()
    }
}
