//! Errors of servers, which quote what they were sent.

use crate::secrets;

/// The words of a server's error, without the values that it quotes: for instrumentation.
///
/// What stands in quotes is left out unless `is_name`, which is given what stands before it
/// and what is quoted, knows it for the name of something; so is all behind `near`, and each
/// number that is neither a position nor a code.
///
/// ```
/// use instana::span::without_values;
///
/// let is_table = |before: &str, _: &str| before.ends_with("table ");
/// let text = without_values("table \"users\" takes no \"hunter2\"", is_table);
/// assert_eq!(text, "table \"users\" takes no …");
/// ```
pub fn without_values(text: &str, is_name: impl Fn(&str, &str) -> bool) -> String {
    secrets::unquoted(text, &is_name)
}
