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

mod address;
mod dsn;
mod filter;
mod fold;
mod key;
mod matcher;
mod redact;
mod scan;

pub(crate) use self::dsn::dsn;
pub(crate) use self::matcher::Matcher;
pub(crate) use self::redact::{header, is_credential, path, query, text, url};

/// What stands in the place of a secret value, in raw angle brackets
/// (`reference`: Node).
pub(crate) const REDACTED: &str = "<redacted>";

/// What stands in the place of the user information of a URL
/// (`reference`: Node).
const REDACTED_USER: &str = "<redacted>:<redacted>@";

#[cfg(test)]
mod tests;
