//! Running one command as a named step.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::packages;

/// What became of a step.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) passed: bool,
    pub(crate) took: Duration,
    /// What the summary says about it.
    pub(crate) note: String,
}

/// Runs `cargo` with these arguments; its output goes to the terminal.
pub(crate) fn cargo(name: &str, arguments: &[&str]) -> Step {
    cargo_with(name, arguments, &[])
}

/// As [`cargo`], with variables of the environment set.
pub(crate) fn cargo_with(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Step {
    println!("\n── {name}: cargo {}", arguments.join(" "));
    let program = option_env!("CARGO").unwrap_or("cargo");
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().copied());
    timed(name, || match command.status() {
        Ok(status) if status.success() => Ok(String::new()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(format!("{program} could not be started: {error}")),
    })
}

/// As [`cargo_with`], with flags that go to every crate, in a target directory of its own.
pub(crate) fn cargo_apart(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Step {
    let target = match packages::target() {
        Ok(target) => target.join(name).display().to_string(),
        Err(error) => return timed(name, || Err(error)),
    };
    let arguments = [arguments, &["--target-dir", &target]].concat();
    cargo_with(name, &arguments, environment)
}

/// Runs `f` as a step; `Ok` and `Err` are what the summary says.
pub(crate) fn timed(name: &str, f: impl FnOnce() -> Result<String, String>) -> Step {
    let start = Instant::now();
    let result = f();
    let passed = result.is_ok();
    Step {
        name: name.to_owned(),
        passed,
        took: start.elapsed(),
        note: result.unwrap_or_else(|error| error),
    }
}
