#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod backend;
mod builder;
mod connection;
mod destination;
mod error;
mod executor;
#[cfg(feature = "tracing")]
mod layer;
mod pool;
mod pool_connection;
mod query;
mod record;
mod rows;
mod shared_destination;
mod transaction;

pub use crate::backend::Backend;
pub use crate::builder::PoolBuilder;
pub use crate::connection::Connection;
pub use crate::destination::StatementMode;
#[cfg(feature = "tracing")]
pub use crate::layer::InstanaLayer;
pub use crate::pool::Pool;
pub use crate::pool_connection::PoolConnection;
pub use crate::transaction::Transaction;

#[cfg(feature = "mysql")]
pub use crate::backend::mysql::{MySqlConnection, MySqlPool, MySqlTransaction};
#[cfg(feature = "postgres")]
pub use crate::backend::postgres::{PgConnection, PgPool, PgTransaction};
#[cfg(feature = "sqlite")]
pub use crate::backend::sqlite::{SqliteConnection, SqlitePool, SqliteTransaction};
