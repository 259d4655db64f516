//! The databases.

mod described;
mod executes;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

pub(crate) use self::described::{Described, Options, Place};
pub(crate) use self::executes::Executes;

/// A database whose statements are recorded: PostgreSQL, MySQL and MariaDB, or
/// SQLite, by feature. It cannot be implemented elsewhere.
pub trait Backend: Described + Executes {}
