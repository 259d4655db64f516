//! How the drivers execute statements.

use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use sqlx::{Database, Describe, Error, SqlStr};

use crate::query::Observed;
use crate::rows::Step;

/// The methods of `for<'c> &'c mut DB::Connection: Executor<'c>`, without that bound: on an
/// `Executor` of ours it would send the compiler into a cycle in code that is generic over the
/// database, whether or not that code uses this crate.
pub trait Executes: Database {
    /// `Executor::fetch_many`.
    fn fetch_many<'e>(
        connection: &'e mut Self::Connection,
        query: Observed<Self>,
    ) -> BoxStream<'e, Step<Self>>;

    /// `Executor::fetch_optional`.
    fn fetch_optional<'e>(
        connection: &'e mut Self::Connection,
        query: Observed<Self>,
    ) -> BoxFuture<'e, Result<Option<Self::Row>, Error>>;

    /// `Executor::prepare_with`.
    fn prepare_with<'e>(
        connection: &'e mut Self::Connection,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, Error>>;

    /// `Executor::describe`.
    fn describe<'e>(
        connection: &'e mut Self::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'e, Result<Describe<Self>, Error>>;

    /// As `fetch_many`, on a connection of the pool.
    fn fetch_many_of<'e>(
        pool: &sqlx::Pool<Self>,
        query: Observed<Self>,
    ) -> BoxStream<'e, Step<Self>>;

    /// As `fetch_optional`, on a connection of the pool.
    fn fetch_optional_of<'e>(
        pool: &sqlx::Pool<Self>,
        query: Observed<Self>,
    ) -> BoxFuture<'e, Result<Option<Self::Row>, Error>>;

    /// As `prepare_with`, on a connection of the pool.
    fn prepare_with_of<'e>(
        pool: &sqlx::Pool<Self>,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, Error>>;

    /// As `describe`, on a connection of the pool.
    fn describe_of<'e>(
        pool: &sqlx::Pool<Self>,
        sql: SqlStr,
    ) -> BoxFuture<'e, Result<Describe<Self>, Error>>;
}

macro_rules! executes {
    ($($(#[$meta:meta])* $database:ty;)+) => {
        $($(#[$meta])* impl Executes for $database {
            fn fetch_many<'e>(
                connection: &'e mut Self::Connection,
                query: Observed<Self>,
            ) -> BoxStream<'e, Step<Self>> {
                sqlx::Executor::fetch_many(connection, query)
            }

            fn fetch_optional<'e>(
                connection: &'e mut Self::Connection,
                query: Observed<Self>,
            ) -> BoxFuture<'e, Result<Option<Self::Row>, Error>> {
                sqlx::Executor::fetch_optional(connection, query)
            }

            fn prepare_with<'e>(
                connection: &'e mut Self::Connection,
                sql: SqlStr,
                parameters: &'e [Self::TypeInfo],
            ) -> BoxFuture<'e, Result<Self::Statement, Error>> {
                sqlx::Executor::prepare_with(connection, sql, parameters)
            }

            fn describe<'e>(
                connection: &'e mut Self::Connection,
                sql: SqlStr,
            ) -> BoxFuture<'e, Result<Describe<Self>, Error>> {
                sqlx::Executor::describe(connection, sql)
            }

            fn fetch_many_of<'e>(
                pool: &sqlx::Pool<Self>,
                query: Observed<Self>,
            ) -> BoxStream<'e, Step<Self>> {
                sqlx::Executor::fetch_many(pool, query)
            }

            fn fetch_optional_of<'e>(
                pool: &sqlx::Pool<Self>,
                query: Observed<Self>,
            ) -> BoxFuture<'e, Result<Option<Self::Row>, Error>> {
                sqlx::Executor::fetch_optional(pool, query)
            }

            fn prepare_with_of<'e>(
                pool: &sqlx::Pool<Self>,
                sql: SqlStr,
                parameters: &'e [Self::TypeInfo],
            ) -> BoxFuture<'e, Result<Self::Statement, Error>> {
                sqlx::Executor::prepare_with(pool, sql, parameters)
            }

            fn describe_of<'e>(
                pool: &sqlx::Pool<Self>,
                sql: SqlStr,
            ) -> BoxFuture<'e, Result<Describe<Self>, Error>> {
                sqlx::Executor::describe(pool, sql)
            }
        })+
    };
}

executes! {
    #[cfg(feature = "mysql")]
    sqlx::MySql;
    #[cfg(feature = "postgres")]
    sqlx::Postgres;
    #[cfg(feature = "sqlite")]
    sqlx_sqlite::Sqlite;
}
