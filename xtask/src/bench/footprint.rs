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

/// A package, and the features of `footprint` without and with it.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    name: String,
    without: String,
    with: String,
}

/// One program, built from nothing.
#[derive(Debug)]
struct Built {
    bytes: u64,
    seconds: f64,
    crates: usize,
}

/// Builds and shows them, or the one that is asked for.
pub(crate) fn measure(report: &mut Report, only: Option<&str>) -> Result<String, String> {
    let all = cases(&packages::features("benchmarks/Cargo.toml", "footprint")?);
    let missing = missing(&packages::published()?, &all);
    let is_meant = |case: &Case| only.is_none_or(|only| only == case.name);
    let meant: Vec<Case> = all.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(format!("{} is no case", only.unwrap_or("nothing")));
    }
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
    for case in &meant {
        println!("building: {}", case.name);
        let (without, with) = (build(&target, &case.without)?, build(&target, &case.with)?);
        let kib = |bytes: u64| format!("{:.0}", bytes as f64 / 1024.0);
        table.row([
            case.name.clone(),
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
    let _ = fs::remove_dir_all(&target);
    Ok(match missing.as_slice() {
        [] => format!("{} crates", meant.len()),
        missing => format!("{} crates; not: {}", meant.len(), missing.join(", ")),
    })
}

/// The tracer, and each `X-traced` beside its `X`.
fn cases(features: &[String]) -> Vec<Case> {
    let traced = features.iter().filter_map(|feature| {
        let target = feature.strip_suffix("-traced")?;
        Some(Case {
            name: format!("instana-{target}"),
            without: target.to_owned(),
            with: feature.clone(),
        })
    });
    let core = Case {
        name: "instana".to_owned(),
        without: String::new(),
        with: "core".to_owned(),
    };
    let mut cases: Vec<Case> = traced.chain([core]).collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// Published crates without a case. The agent for development is no part of an
/// application.
fn missing(published: &[String], cases: &[Case]) -> Vec<String> {
    let has_none = |name: &&String| cases.iter().all(|case| case.name != **name);
    let crates = published.iter().filter(has_none);
    let crates = crates.filter(|name| *name != "instana-dev-agent");
    crates.cloned().collect()
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
    fn each_pair_of_features_is_a_case() {
        let names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let found = cases(&names(&["bare", "core", "tower", "tower-traced"]));
        let of = |name: &str, without: &str, with: &str| Case {
            name: name.to_owned(),
            without: without.to_owned(),
            with: with.to_owned(),
        };
        let expected = [
            of("instana", "", "core"),
            of("instana-tower", "tower", "tower-traced"),
        ];
        assert_eq!(found, expected);
        let published = names(&["instana", "instana-dev-agent", "instana-sqlx"]);
        assert_eq!(missing(&published, &found), ["instana-sqlx"]);
    }

    #[test]
    fn times_of_children_are_added_up() {
        let text = "0m0.00s 0m0.01s\n1m2.5s 0m3.25s\n";
        assert!((children_seconds(text) - 65.75).abs() < 1e-9);
    }
}
