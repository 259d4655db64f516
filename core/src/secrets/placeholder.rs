//! What stands in the place of secrets.

/// What stands in the place of a secret value, in raw angle brackets (as in
/// Node.js).
pub(crate) const REDACTED: &str = "<redacted>";

/// What stands in the place of the user information of a URL (as in Node.js).
pub(super) const REDACTED_USER: &str = "<redacted>:<redacted>@";
