//! The workspace's packages, as Cargo tells them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Names of the packages that are published: all without `publish = false`.
pub(crate) fn published() -> Result<Vec<String>, String> {
    let metadata = metadata()?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .ok_or("no packages in Cargo's metadata")?;
    let names = packages
        .iter()
        .filter(|package| package.get("publish").is_none_or(Value::is_null))
        .filter_map(|package| Some(package.get("name")?.as_str()?.to_owned()))
        .collect();
    Ok(names)
}

/// All packages: those of the workspace and what they depend on.
pub(crate) fn all() -> Result<Vec<Value>, String> {
    let mut metadata = metadata_with(&["--format-version", "1"])?;
    match metadata.get_mut("packages").map(Value::take) {
        Some(Value::Array(packages)) => Ok(packages),
        _ => Err("no packages in Cargo's metadata".to_owned()),
    }
}

/// The features of a package in the workspace with this manifest.
pub(crate) fn features(manifest: &str, package: &str) -> Result<Vec<String>, String> {
    let metadata = metadata_of(&["--manifest-path", manifest])?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let features = packages
        .into_iter()
        .flatten()
        .find(|found| found.get("name").and_then(Value::as_str) == Some(package))
        .and_then(|package| package.get("features")?.as_object())
        .ok_or_else(|| format!("{manifest} has no package {package}"))?;
    Ok(features.keys().cloned().collect())
}

/// Where Cargo builds.
pub(crate) fn target() -> Result<PathBuf, String> {
    let metadata = metadata()?;
    let target = metadata.get("target_directory").and_then(Value::as_str);
    Ok(target.ok_or("Cargo does not say where it builds")?.into())
}

fn metadata() -> Result<Value, String> {
    metadata_of(&[])
}

/// Of the workspace's own packages.
fn metadata_of(arguments: &[&str]) -> Result<Value, String> {
    metadata_with(&[&["--no-deps", "--format-version", "1"], arguments].concat())
}

fn metadata_with(arguments: &[&str]) -> Result<Value, String> {
    let program = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(program)
        .arg("metadata")
        .args(arguments)
        .output()
        .map_err(|error| format!("{program} could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("Cargo's metadata: {error}"))
}
