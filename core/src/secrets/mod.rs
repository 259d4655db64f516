//! What must not leave the process: which keys are secret ([`Matcher`]) and
//! how texts are written without the values behind them.
//!
//! Where two readings of a text are possible, the one that hides more wins.
//! The functions append to a `String`, and allocate little else where nothing is hidden.
//! Each may be applied to its own output again without changing it: [`settled`] sees to that.
//!
//! | text | function |
//! | --- | --- |
//! | query string (`params`) | [`query`] |
//! | URL | [`url`] |
//! | path | [`path`] |
//! | error text, any free text | [`text`] |
//! | connection string | [`dsn()`] |
//! | captured header | [`header`] |
//! | statement of a database | [`statement()`], [`masked`] |
//! | text in which a server quotes | [`unquoted`], [`without_database_values`] |
//! | line of a log, event | [`message`] |
//! | command line | [`arguments()`] |
//!
//! A text is redacted first and cut to its limit after that ([`Limit`]).
//! `docs/ENVIRONMENT.md` tells users what is hidden and what is not searched.

mod address;
mod arguments;
mod decode;
mod dsn;
mod escapes;
mod filter;
mod ignore_case;
mod key;
mod limit;
mod matcher;
mod nested;
mod patterns;
mod placeholder;
mod prose;
mod quoted;
mod redact;
mod scan;
mod search;
mod settled;
mod signed;
mod statement;
mod value;
mod word;
#[cfg(test)]
mod work_counter;
#[cfg(not(test))]
#[path = "work_counter_none.rs"]
mod work_counter;

pub(crate) use self::arguments::arguments;
pub(crate) use self::dsn::dsn;
pub(crate) use self::limit::{Limit, STATEMENT_BYTES, kept};
pub(crate) use self::matcher::Matcher;
pub(crate) use self::placeholder::REDACTED;
pub(crate) use self::quoted::{names_database, unquoted, without_database_values};
pub(crate) use self::redact::{
    header, is_credential, is_secret_name, may_hold_secret, message, path, query, text, url,
};
pub use self::statement::Dialect;
pub(crate) use self::statement::{is_shown_as_it_is, masked, statement};

#[cfg(test)]
mod tests;
