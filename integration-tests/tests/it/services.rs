//! Where the servers are that `cargo xtask services` starts.

/// The value of a variable that `cargo xtask test` sets.
///
/// # Panics
///
/// Where it is not set: a test without its server has shown nothing.
#[expect(
    clippy::disallowed_methods,
    reason = "set by what runs the tests, not a setting of the tracer"
)]
#[track_caller]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        unreachable!(
            "{name} is not set: `cargo xtask services up` starts the servers and prints it"
        )
    })
}
