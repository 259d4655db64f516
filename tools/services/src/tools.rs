//! Servers that no package of Debian's has: built or installed once, and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{command, folders, variables};

/// The folder of all tools, where it is not `target/tools`.
const VARIABLE: &str = "INSTANA_TOOLS";

/// In the folder of a tool that is whole.
const COMPLETE: &str = "complete";

/// How long a tool may take to be built.
const LIMIT: Duration = Duration::from_secs(3_600);

/// The folder of a tool, whose version is part of the name; `install` fills it
/// where it is not there yet.
pub(crate) fn ensure(
    name: &str,
    duration: &str,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    ensure_in(&folder()?, name, duration, install)
}

fn ensure_in(
    folder: &Path,
    name: &str,
    duration: &str,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let tool = folder.join(name);
    let failed = |error| format!("{}: {error}", tool.display());
    let complete = tool.join(COMPLETE);
    if complete.exists() {
        return Ok(tool);
    }
    eprintln!("installing {name} in {}: {duration}, once", tool.display());
    let start = Instant::now();
    if tool.exists() {
        fs::remove_dir_all(&tool).map_err(failed)?;
    }
    fs::create_dir_all(&tool).map_err(failed)?;
    install(&tool)?;
    fs::write(&complete, "").map_err(failed)?;
    eprintln!("{name} is installed: {} s", start.elapsed().as_secs());
    Ok(tool)
}

/// Runs a step of an installation; the terminal shows how it goes.
pub(crate) fn run(what: &str, mut step: Command) -> Result<(), String> {
    step.stdin(Stdio::null());
    // Standard output has the URLs, and nothing else.
    step.stdout(Stdio::null());
    command::watch(what, step, LIMIT)
}

/// Where tools are; absolute, since servers run in folders of their own.
fn folder() -> Result<PathBuf, String> {
    let folder = match variables::value(VARIABLE) {
        Some(folder) => folder.into(),
        None => folders::target()?.join("tools"),
    };
    std::path::absolute(&folder).map_err(|error| format!("{}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_installed_until_it_is_whole() {
        let folder = std::env::temp_dir().join(format!("xtask-tools-{}", std::process::id()));
        let ensure = |install: &dyn Fn(&Path) -> Result<(), String>| {
            ensure_in(&folder, "tool-1.0", "no time", install)
        };
        let failing = |tool: &Path| {
            fs::write(tool.join("half"), "").unwrap();
            Err("no network".to_owned())
        };
        assert_eq!(ensure(&failing), Err("no network".to_owned()));
        let whole = |tool: &Path| {
            assert!(!tool.join("half").exists());
            Ok(())
        };
        let tool = folder.join("tool-1.0");
        assert_eq!(ensure(&whole), Ok(tool.clone()));
        assert_eq!(ensure(&failing), Ok(tool));
        fs::remove_dir_all(folder).unwrap();
    }
}
