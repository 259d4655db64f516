//! What must not leave the process: which keys are secret ([`Matcher`]) and
//! how texts are written without the values behind them.
//!
//! Where two readings of a text are possible, the one that hides more wins.
//! The functions append to a `String` and allocate nothing else. Each may be
//! applied to its own output again without changing it.
//!
//! | text | function |
//! | --- | --- |
//! | query string (`params`) | [`query`] |
//! | URL | [`url`] |
//! | path | [`path`] |
//! | error text, any free text | [`text`] |
//! | connection string | [`dsn()`] |
//! | captured header | [`header`] |
//! | statement of a database | [`statement()`] |
//! | command line | [`arguments()`] |
//!
//! A text is redacted first and cut to its limit after that ([`Limit`]).
//! `docs/ENVIRONMENT.md` tells users what is hidden and what is not searched.

mod address;
mod arguments;
mod decode;
mod dsn;
mod filter;
mod fold;
mod key;
mod limit;
mod matcher;
mod nested;
mod prose;
mod redact;
mod scan;
mod seek;
mod statement;
#[cfg(test)]
mod steps;
#[cfg(not(test))]
#[path = "steps_none.rs"]
mod steps;
mod word;

pub(crate) use self::arguments::arguments;
pub(crate) use self::dsn::dsn;
pub(crate) use self::limit::{Limit, STATEMENT_BYTES, kept};
pub(crate) use self::matcher::Matcher;
pub(crate) use self::redact::{header, is_credential, path, query, text, url};
pub(crate) use self::statement::{has_no_literal, statement};

/// What stands in the place of a secret value, in raw angle brackets (as in
/// Node.js).
pub(crate) const REDACTED: &str = "<redacted>";

/// What stands in the place of the user information of a URL (as in Node.js).
const REDACTED_USER: &str = "<redacted>:<redacted>@";

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_linear;
