//! Cargo, and what it says about the workspace.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The Cargo that runs this.
pub(crate) fn command() -> Command {
    Command::new(option_env!("CARGO").unwrap_or("cargo"))
}

/// What Cargo prints; an error is what it says.
pub(crate) fn output(arguments: &[&str]) -> Result<String, String> {
    let output = command()
        .args(arguments)
        .output()
        .map_err(|error| format!("Cargo could not be started: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Builds tests with flags for one crate alone; the program that has them.
pub(crate) fn test_program(words: &str, flags: &[&str]) -> Result<String, String> {
    let output = command()
        .args(words.split(' '))
        .args(["--message-format", "json-render-diagnostics", "--"])
        .args(flags)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("Cargo could not be started: {error}"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let program = messages
        .filter_map(|message| text(&message, "executable"))
        .next_back();
    program
        .filter(|_| output.status.success())
        .ok_or_else(|| output.status.to_string())
}

/// Name and version of a package and of all that it depends on; itself is the first.
pub(crate) fn tree(package: &str, arguments: &[&str]) -> Result<Vec<(String, String)>, String> {
    let tree = [
        "tree",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        package,
    ];
    let text = output(&[&tree[..], arguments].concat())?;
    Ok(text.lines().filter_map(name_and_version).collect())
}

/// Names of the packages that are published: all without `publish = false`.
pub(crate) fn published() -> Result<Vec<String>, String> {
    let published = packages(&["--no-deps"])?.into_iter();
    let published = published.filter(|package| package.get("publish").is_none_or(Value::is_null));
    Ok(published
        .filter_map(|package| text(&package, "name"))
        .collect())
}

/// Packages: those of the workspace and what they depend on.
pub(crate) fn packages(arguments: &[&str]) -> Result<Vec<Value>, String> {
    match metadata(arguments)?.get_mut("packages").map(Value::take) {
        Some(Value::Array(packages)) => Ok(packages),
        _ => Err("no packages in Cargo's metadata".to_owned()),
    }
}

/// The features of a package in the workspace with this manifest.
pub(crate) fn features(manifest: &str, package: &str) -> Result<Vec<String>, String> {
    let packages = packages(&["--no-deps", "--manifest-path", manifest])?;
    let found = packages
        .iter()
        .find(|found| text(found, "name").as_deref() == Some(package));
    let features = found.and_then(|package| package.get("features")?.as_object());
    let features = features.ok_or_else(|| format!("{manifest} has no package {package}"))?;
    Ok(features.keys().cloned().collect())
}

/// Where Cargo builds.
pub(crate) fn target() -> Result<PathBuf, String> {
    let target = text(&metadata(&["--no-deps"])?, "target_directory");
    Ok(target.ok_or("Cargo does not say where it builds")?.into())
}

/// A text of Cargo's metadata.
pub(crate) fn text(value: &Value, key: &str) -> Option<String> {
    Some(value.get(key)?.as_str()?.to_owned())
}

fn metadata(arguments: &[&str]) -> Result<Value, String> {
    let metadata = output(&[&["metadata", "--format-version", "1"], arguments].concat())?;
    serde_json::from_str(&metadata).map_err(|error| format!("Cargo's metadata: {error}"))
}

/// Of a line such as `libc v0.2.191`.
fn name_and_version(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    Some((name, words.next()?.strip_prefix('v')?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_name_and_a_version() {
        let id = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(name_and_version("libc v0.2.191"), id("libc", "0.2.191"));
        assert_eq!(
            name_and_version("instana v1.0.0 (/a b) (*)"),
            id("instana", "1.0.0")
        );
        assert_eq!(name_and_version(""), None);
    }
}
