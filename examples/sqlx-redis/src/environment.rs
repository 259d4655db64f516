//! The variable that says where Redis is.
#![expect(
    clippy::disallowed_methods,
    reason = "an example's own setting, read here only"
)]

use std::env;

/// `REDIS_URL`, if it is set.
pub(crate) fn redis() -> Option<String> {
    env::var("REDIS_URL").ok().filter(|url| !url.is_empty())
}
