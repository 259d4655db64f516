//! `links = "instana"` in the manifest makes Cargo refuse two copies of the
//! tracer in one binary; Cargo wants a build script beside it. It also hands
//! the compiler's version and the target to the snapshot.

use std::process::Command;

#[expect(
    clippy::disallowed_methods,
    reason = "Cargo speaks to build scripts through the environment"
)]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(target) = std::env::var("TARGET") {
        println!("cargo::rustc-env=INSTANA_TARGET={target}");
    }
    if let Some(version) = std::env::var_os("RUSTC").and_then(|rustc| version(&rustc)) {
        println!("cargo::rustc-env=INSTANA_RUSTC_VERSION={version}");
    }
}

/// `rustc 1.85.0` of `rustc 1.85.0 (4d91de4e4 2025-02-17)`.
fn version(rustc: &std::ffi::OsStr) -> Option<String> {
    let output = Command::new(rustc).arg("--version").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let version = line.strip_prefix("rustc ")?.split_whitespace().next()?;
    Some(format!("rustc {version}"))
}
