//! Running one command as a named step, and the summary of all steps.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::cargo;

/// What became of a step.
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) passed: bool,
    pub(crate) took: Duration,
    /// What the summary says about it.
    pub(crate) note: String,
}

/// Runs `cargo` with these words; its output goes to the terminal.
pub(crate) fn cargo(name: &str, words: &str) -> Step {
    cargo_with(name, words, &[])
}

/// As [`cargo()`], with variables of the environment set.
pub(crate) fn cargo_with(name: &str, words: &str, environment: &[(&str, &str)]) -> Step {
    println!("\n── {name}: cargo {words}");
    let mut command = cargo::command();
    command.args(words.split(' '));
    command.envs(environment.iter().copied());
    timed(name, || match command.status() {
        Ok(status) if status.success() => Ok(String::new()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(format!("Cargo could not be started: {error}")),
    })
}

/// As [`cargo_with`], in a folder of this name inside the target folder: flags that go to every
/// crate, or another workspace.
pub(crate) fn cargo_apart(folder: &str, name: &str, words: &str, env: &[(&str, &str)]) -> Step {
    let target = match cargo::target() {
        Ok(target) => target.join(folder).display().to_string(),
        Err(error) => return timed(name, || Err(error)),
    };
    let target = ("CARGO_TARGET_DIR", target.as_str());
    cargo_with(name, words, &[env, &[target]].concat())
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

/// The end of the output: a line a step.
pub(crate) fn finish(steps: &[Step]) -> ExitCode {
    let widths = steps.iter().map(|step| step.name.chars().count());
    let width = widths.max().unwrap_or_default();
    println!("\n── summary");
    for step in steps {
        let verdict = if step.passed { "ok    " } else { "FAILED" };
        let line = format!(
            "{verdict}  {:<width$}  {:>6.1} s  {}",
            step.name,
            step.took.as_secs_f64(),
            step.note
        );
        println!("{}", line.trim_end());
    }
    let failed = steps.iter().filter(|step| !step.passed).count();
    let took: Duration = steps.iter().map(|step| step.took).sum();
    let (count, seconds) = (steps.len(), took.as_secs_f64());
    if failed == 0 {
        println!("all {count} steps passed in {seconds:.0} s");
        return ExitCode::SUCCESS;
    }
    println!("{failed} of {count} steps failed ({seconds:.0} s)");
    ExitCode::FAILURE
}
