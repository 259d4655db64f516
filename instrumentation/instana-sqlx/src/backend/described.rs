//! The properties of a database, and the form of its errors.

use std::borrow::Cow;

use instana::span::sql::{Address, Dialect, Target};
use sqlx::error::DatabaseError;
use sqlx::{Connection, Database};

pub(crate) type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

/// The properties of a database.
pub trait Described: Database {
    /// How its statements are read.
    const DIALECT: Dialect;

    /// Where connections with these options go to.
    fn place(options: &Options<Self>) -> Place;

    /// Where the spans of statements for `address` belong.
    fn target(address: &Address<'_>) -> Target;

    /// How many rows a statement has changed.
    fn changed(result: &Self::QueryResult) -> u64;

    /// Whether the text that this error quotes behind `before` is a name, and cannot be a
    /// value of the statement or of a row.
    fn is_name(error: &dyn DatabaseError, before: &str, quoted: &str) -> bool;

    /// The message without values that are not in quotes.
    fn message(error: &dyn DatabaseError) -> Cow<'_, str> {
        Cow::Borrowed(error.message())
    }

    /// Whether [`changed`](Self::changed) is valid for this statement.
    fn tells_changes(_statement: &str) -> bool {
        true
    }
}

/// An [`Address`] that owns its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The server, or the folder of its socket.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// Who is logged in.
    pub user: String,
    /// The database, or its file.
    pub database: String,
}

impl Place {
    pub(crate) fn address(&self) -> Address<'_> {
        Address::new()
            .host(&self.host)
            .port(self.port)
            .user(&self.user)
            .database(&self.database)
    }
}
