//! The rule on core's dependencies: few, and no runtime among them.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates in core's default tree, proc-macro crates apart, itself not counted.
const MOST: usize = 40;

/// What core must never depend on.
const FORBIDDEN: [&str; 8] = [
    "tokio",
    "hyper",
    "reqwest",
    "tonic",
    "opentelemetry",
    "http",
    "async-std",
    "tracing",
];

/// Counts the crates in core's tree.
pub(crate) fn check() -> Result<String, String> {
    let program = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(program)
        .args([
            "tree",
            "--package",
            "instana",
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}"])
        .output()
        .map_err(|error| format!("{program} could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    if let Some(name) = FORBIDDEN.into_iter().find(|name| crates.contains(name)) {
        return Err(format!("core depends on {name}"));
    }
    match crates.len().saturating_sub(1) {
        count @ 1..=MOST => Ok(format!("{count} crates, {MOST} allowed")),
        count => Err(format!("{count} crates, {MOST} allowed")),
    }
}
