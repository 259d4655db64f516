//! Binary size, compile time and dependencies: what core adds to an empty
//! program, and each instrumentation to one that uses its target and core.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::Options;
use super::table::{Report, Table};
use crate::cargo;

/// A package, and the features of `footprint` without and with it.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    name: String,
    without: String,
    with: String,
}

/// A program, built from nothing: bytes, CPU seconds, and crates in its tree.
type Built = (u64, f64, usize);

/// Builds and shows them, or the one that is asked for.
pub(super) fn measure(options: &Options) -> Result<String, String> {
    let only = options.only.as_deref();
    let all = cases(&cargo::features("benchmarks/Cargo.toml", "footprint")?);
    let missing = missing(&cargo::published()?, &all);
    let is_meant = |case: &Case| only.is_none_or(|only| only == case.name);
    let meant: Vec<Case> = all.into_iter().filter(is_meant).collect();
    if meant.is_empty() {
        return Err(format!("{} is no case", only.unwrap_or("nothing")));
    }
    let target = cargo::target()?.join("bench-footprint");
    let mut table = Table::new(
        "crate|KiB without|KiB with|KiB added|\
         CPU s without|CPU s with|crates without|crates with",
    );
    for case in &meant {
        println!("building: {}", case.name);
        let (bytes, seconds, crates) = build(&target, &case.without)?;
        let (bytes_with, seconds_with, crates_with) = build(&target, &case.with)?;
        let kib = |bytes: u64| format!("{:.0}", bytes as f64 / 1024.0);
        table.row([
            case.name.clone(),
            kib(bytes),
            kib(bytes_with),
            kib(bytes_with.saturating_sub(bytes)),
            format!("{seconds:.1}"),
            format!("{seconds_with:.1}"),
            crates.to_string(),
            crates_with.to_string(),
        ]);
    }
    let title = "Stripped release binary, CPU time of a clean build, crates in the tree";
    let mut report = Report::default();
    report.table(title, &table);
    // The page shows all.
    if options.docs && only.is_none() {
        report.write("footprint")?;
    }
    let _ = fs::remove_dir_all(&target);
    Ok(match missing.as_slice() {
        [] => format!("{} crates", meant.len()),
        missing => format!("{} crates; not: {}", meant.len(), missing.join(", ")),
    })
}

impl Case {
    fn new(name: &str, without: &str, with: &str) -> Self {
        let [name, without, with] = [name, without, with].map(str::to_owned);
        Self {
            name,
            without,
            with,
        }
    }
}

/// The tracer, and each `X-traced` beside its `X`.
fn cases(features: &[String]) -> Vec<Case> {
    let traced = features.iter().filter_map(|feature| {
        let target = feature.strip_suffix("-traced")?;
        Some(Case::new(&format!("instana-{target}"), target, feature))
    });
    let core = Case::new("instana", "", "core");
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
    let cargo = cargo::command();
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
    let metadata = fs::metadata(&binary);
    let metadata = metadata.map_err(|error| format!("{}: {error}", binary.display()))?;
    Ok((metadata.len(), seconds, crates(features)?))
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
    let edges = ["--edges", "normal,no-proc-macro", "--features", features];
    let manifest = ["--locked", "--manifest-path", "benchmarks/Cargo.toml"];
    let tree = cargo::tree("footprint", &[edges.as_slice(), &manifest].concat())?;
    let names: BTreeSet<&str> = tree.iter().map(|(name, _)| name.as_str()).collect();
    Ok(names.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_features_is_a_case() {
        let names = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let found = cases(&names("bare core tower tower-traced"));
        let tower = Case::new("instana-tower", "tower", "tower-traced");
        let expected = [Case::new("instana", "", "core"), tower];
        assert_eq!(found, expected);
        let published = names("instana instana-dev-agent instana-sqlx");
        assert_eq!(missing(&published, &found), ["instana-sqlx"]);
    }

    #[test]
    fn times_of_children_are_added_up() {
        let text = "0m0.00s 0m0.01s\n1m2.5s 0m3.25s\n";
        assert!((children_seconds(text) - 65.75).abs() < 1e-9);
    }
}
