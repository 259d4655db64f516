//! Statements, as sqlx's own types execute them: the methods that these have,
//! of which the trait makes the others.

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use instana::FutureExt;
use instana::span::Attempt;
use sqlx::{Describe, Error, Execute, Executor, SqlStr};

use crate::backend::Backend;
use crate::error::fail;
use crate::query::Observed;
use crate::record::found;
use crate::rows::{Rows, Step};
use crate::{Connection, Pool};

impl<'p, DB: Backend> Executor<'p> for &'_ Pool<DB> {
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step<DB>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Observed::new(query);
        let span = self.exit(query.as_str());
        if !span.is_recording() {
            return DB::fetch_many_of(self.inner(), query);
        }
        let tells_changes = DB::tells_changes(query.as_str());
        let inner = DB::fetch_many_of(self.inner(), query.for_pool());
        Rows::<DB>::boxed(span, tells_changes, inner)
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Observed::new(query);
        let span = self.exit(query.as_str());
        if !span.is_recording() {
            return DB::fetch_optional_of(self.inner(), query);
        }
        let inner = DB::fetch_optional_of(self.inner(), query.for_pool());
        Box::pin(inner.in_span_with(span, found::<DB, _>))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>>
    where
        'p: 'e,
    {
        let attempt = Attempt::new(self.exit(sql.as_str()));
        let inner = DB::prepare_with_of(self.inner(), sql, parameters);
        if !attempt.is_recording() {
            return inner;
        }
        Box::pin(attempt.watch(inner, fail::<DB>))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
    where
        'p: 'e,
    {
        let attempt = Attempt::new(self.exit(sql.as_str()));
        let inner = DB::describe_of(self.inner(), sql);
        if !attempt.is_recording() {
            return inner;
        }
        Box::pin(attempt.watch(inner, fail::<DB>))
    }
}

impl<'c, DB: Backend> Executor<'c> for &'c mut Connection<DB> {
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step<DB>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Observed::new(query);
        let span = self.statement(query.as_str());
        if !span.is_recording() {
            return DB::fetch_many(self.inner_mut(), query);
        }
        let tells_changes = DB::tells_changes(query.as_str());
        Rows::<DB>::boxed(span, tells_changes, DB::fetch_many(self.inner_mut(), query))
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let query = Observed::new(query);
        let span = self.statement(query.as_str());
        if !span.is_recording() {
            return DB::fetch_optional(self.inner_mut(), query);
        }
        let inner = DB::fetch_optional(self.inner_mut(), query);
        Box::pin(inner.in_span_with(span, found::<DB, _>))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>>
    where
        'c: 'e,
    {
        let attempt = self.attempt(sql.as_str());
        let inner = DB::prepare_with(self.inner_mut(), sql, parameters);
        if !attempt.is_recording() {
            return inner;
        }
        Box::pin(attempt.watch(inner, fail::<DB>))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
    where
        'c: 'e,
    {
        let attempt = self.attempt(sql.as_str());
        let inner = DB::describe(self.inner_mut(), sql);
        if !attempt.is_recording() {
            return inner;
        }
        Box::pin(attempt.watch(inner, fail::<DB>))
    }
}
