//! The only place that reads the environment.

/// Whether `NO_COLOR` is set to anything, or the terminal has no colours.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary's reading of the environment"
)]
pub(crate) fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb")
}

/// `COLUMNS`, where the shell exports it.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary's reading of the environment"
)]
pub(crate) fn columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}

/// `INSTANA_DEV_AGENT_MEMORY`, the default of `--memory`; empty is unset.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary's reading of the environment"
)]
pub(crate) fn memory() -> Option<String> {
    let mebibytes = std::env::var_os("INSTANA_DEV_AGENT_MEMORY")?;
    Some(mebibytes.to_string_lossy().into_owned()).filter(|text| !text.is_empty())
}

/// All variables; invalid Unicode is replaced.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the binary's reading of the environment"
)]
pub(crate) fn all() -> impl Iterator<Item = (String, String)> {
    let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}
