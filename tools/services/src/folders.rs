//! Where Cargo builds: logs, data and tools are kept there.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The target folder.
pub(crate) fn target() -> Result<PathBuf, String> {
    let output = Command::new(cargo())
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("Cargo: {error}"))?;
    let target = metadata.get("target_directory").and_then(Value::as_str);
    Ok(target.ok_or("Cargo does not say where it builds")?.into())
}

/// The Cargo that has built this program.
pub(crate) fn cargo() -> &'static str {
    option_env!("CARGO").unwrap_or("cargo")
}
