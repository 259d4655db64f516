//! The rule on core's dependencies: few, and no runtime among them. It is enforced here and not by
//! `deny.toml`, which names the same crates: cargo-deny takes minutes to build, `cargo tree` is
//! there, and cargo-deny cannot limit how many crates there are.

use std::collections::BTreeSet;

use crate::cargo;

/// Crates in core's default tree, proc-macro crates apart, itself not counted.
const MOST: usize = 40;

/// What core must never depend on.
const FORBIDDEN: &str = "async-std http hyper opentelemetry reqwest tokio tonic tracing";

/// Counts the crates in core's tree.
pub(crate) fn check() -> Result<String, String> {
    let tree = cargo::tree("instana", &["--edges", "normal,no-proc-macro"])?;
    let crates: BTreeSet<&str> = tree.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(name) = FORBIDDEN.split(' ').find(|name| crates.contains(name)) {
        return Err(format!("core depends on {name}"));
    }
    match crates.len().saturating_sub(1) {
        count @ 1..=MOST => Ok(format!("{count} crates, {MOST} allowed")),
        count => Err(format!("{count} crates, {MOST} allowed")),
    }
}
