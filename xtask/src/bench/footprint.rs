//! Binary size, compile time and dependencies: what core adds to an empty
//! program, and each instrumentation to one that uses its target and core.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::program::cargo;
use super::report::Report;
use super::table::Table;
use crate::packages;

/// Packages, and the features of `footprint` without and with them.
const CASES: [(&str, &str, &str); 7] = [
    ("instana", "", "core"),
    ("instana-axum", "axum,core", "axum-traced"),
    ("instana-http", "http,core", "http-traced"),
    ("instana-hyper", "hyper,core", "hyper-traced"),
    ("instana-reqwest", "reqwest,core", "reqwest-traced"),
    ("instana-tokio", "tokio,core", "tokio-traced"),
    ("instana-tower", "tower,core", "tower-traced"),
];

/// One program, built from nothing.
#[derive(Debug)]
struct Built {
    bytes: u64,
    seconds: f64,
    crates: usize,
}

/// Builds and shows them.
pub(crate) fn measure(report: &mut Report) -> Result<String, String> {
    let target = packages::target()?.join("bench-footprint");
    let mut table = Table::new([
        "crate",
        "KiB without",
        "KiB with",
        "KiB added",
        "CPU s without",
        "CPU s with",
        "crates without",
        "crates with",
    ]);
    for (name, without, with) in CASES {
        println!("building: {name}");
        let (without, with) = (build(&target, without)?, build(&target, with)?);
        let kib = |bytes: u64| format!("{:.0}", bytes as f64 / 1024.0);
        table.row([
            name.to_owned(),
            kib(without.bytes),
            kib(with.bytes),
            kib(with.bytes.saturating_sub(without.bytes)),
            format!("{:.1}", without.seconds),
            format!("{:.1}", with.seconds),
            without.crates.to_string(),
            with.crates.to_string(),
        ]);
    }
    report.table(
        "Stripped release binary, CPU time of a clean build, crates in the tree",
        &table,
    );
    Ok(format!("{} crates", CASES.len()))
}

fn build(target: &Path, features: &str) -> Result<Built, String> {
    let _ = fs::remove_dir_all(target);
    // The shell tells what its children took: CPU time, which other work on the
    // machine does not change.
    let cargo = cargo();
    let output = Command::new("/bin/sh")
        .args(["-c", "\"$@\" && times", "sh"])
        .arg(cargo.get_program())
        .args(["build", "--quiet", "--locked", "--profile", "stripped"])
        .args(["--manifest-path", "benchmarks/Cargo.toml"])
        .args(["--package", "footprint", "--features", features])
        .arg("--target-dir")
        .arg(target)
        .output()
        .map_err(|error| format!("Cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let seconds = children_seconds(&String::from_utf8_lossy(&output.stdout));
    let binary = target.join("stripped/footprint");
    let bytes = fs::metadata(&binary)
        .map_err(|error| format!("{}: {error}", binary.display()))?
        .len();
    Ok(Built {
        bytes,
        seconds,
        crates: crates(features)?,
    })
}

/// Reads the second line of `times`: user and system time of all children, as
/// `1m2.5s 0m3.1s`.
fn children_seconds(times: &str) -> f64 {
    let line = times.lines().last().unwrap_or_default();
    line.split_whitespace()
        .filter_map(|time| {
            let (minutes, seconds) = time.trim_end_matches('s').split_once('m')?;
            Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
        })
        .sum()
}

/// Crates that are linked in, the program itself not counted.
fn crates(features: &str) -> Result<usize, String> {
    let output = cargo()
        .args([
            "tree",
            "--locked",
            "--manifest-path",
            "benchmarks/Cargo.toml",
        ])
        .args(["--package", "footprint", "--features", features])
        .args([
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()
        .map_err(|error| format!("Cargo could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let names: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    Ok(names.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_children_are_added_up() {
        let text = "0m0.00s 0m0.01s\n1m2.5s 0m3.25s\n";
        assert!((children_seconds(text) - 65.75).abs() < 1e-9);
    }
}
