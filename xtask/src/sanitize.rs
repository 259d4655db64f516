//! `cargo xtask sanitize`: core's tests as the sanitizers of the compiler see
//! them. Their flags are unstable, so the stable compiler is told to take them.

use std::env::consts::ARCH;
use std::fs;

use crate::cargo;
use crate::steps::{self, Step};

/// std is not instrumented: of its channels and locks the sanitizer knows nothing.
/// The first is libtest's own.
const SUPPRESSIONS: &str = "race:CompletedTest\n";

/// The test that threads share nothing in but core's segments: no lock of std.
const WITHOUT_LOCKS: &str = " readers_follow";

/// The thread sanitizer, then the address sanitizer.
pub(crate) fn run() -> Vec<Step> {
    if !cfg!(target_os = "linux") || !matches!(ARCH, "aarch64" | "x86_64") {
        let what = "needs Linux on x86-64 or aarch64";
        return vec![steps::timed("sanitizers", || Err(what.to_owned()))];
    }
    let options = match suppressions() {
        Ok(file) => format!("suppressions={file}"),
        Err(error) => return vec![steps::timed("sanitizers", || Err(error))],
    };
    vec![
        sanitized("thread", WITHOUT_LOCKS, ("TSAN_OPTIONS", &options)),
        // What the process keeps until its end is no leak.
        sanitized("address", "", ("ASAN_OPTIONS", "detect_leaks=0")),
    ]
}

/// Core's unit tests, all or those whose names hold what `filter` names.
fn sanitized(sanitizer: &str, filter: &str, options: (&str, &str)) -> Step {
    // With a target of its own: build scripts and macros are not sanitized.
    let target = format!("{ARCH}-unknown-linux-gnu");
    let words = format!("test --package instana --lib --target {target}{filter}");
    let flags = format!("-Zsanitizer={sanitizer} -Cunsafe-allow-abi-mismatch=sanitizer");
    let environment = [("RUSTC_BOOTSTRAP", "1"), ("RUSTFLAGS", &flags), options];
    let name = format!("{sanitizer}-sanitizer");
    steps::cargo_apart(&name, &name, &words, &environment)
}

/// The file that tells the thread sanitizer what is no race.
fn suppressions() -> Result<String, String> {
    let folder = cargo::target()?;
    let file = folder.join("thread-sanitizer.txt");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, SUPPRESSIONS))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file.display().to_string())
}
