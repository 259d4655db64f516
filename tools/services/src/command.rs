//! Commands that end within a limit.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a client may take to log in to a server.
pub(crate) const LOGIN: Duration = Duration::from_secs(10);

/// Between two looks at something that is waited for.
const PAUSE: Duration = Duration::from_millis(20);

/// How much of a log an error shows.
const LINES: usize = 20;

/// Runs a command to its end, with the input it was given; what it prints goes to the end of `log`, whose
/// last lines are part of the error where it fails.
pub(crate) fn run(
    what: &str,
    mut command: Command,
    log: &Path,
    limit: Duration,
) -> Result<(), String> {
    let (out, err) = append(log)?;
    command.stdout(out).stderr(err);
    watch(what, command, limit).map_err(|error| format!("{error}{}", last_lines(log)))
}

/// Runs a command to its end, with the input and output it was given.
pub(crate) fn watch(what: &str, mut command: Command, limit: Duration) -> Result<(), String> {
    let mut child = command
        .spawn()
        .map_err(|error| format!("{what}: could not be started: {error}"))?;
    let ended = wait(what, limit, || match child.try_wait() {
        Ok(Some(status)) => Ok(status),
        Ok(None) => Err("still running".to_owned()),
        Err(error) => Err(error.to_string()),
    });
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what}: {status}")),
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// What a command prints that ends within the limit; its output is small.
pub(crate) fn output(what: &str, mut command: Command, limit: Duration) -> Result<Output, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{what}: could not be started: {error}"))?;
    let ended = wait(what, limit, || match child.try_wait() {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err("still running".to_owned()),
        Err(error) => Err(error.to_string()),
    });
    if let Err(error) = ended {
        // Not read: what it has started may keep its output open.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    child
        .wait_with_output()
        .map_err(|error| format!("{what}: {error}"))
}

/// Runs a command that is to succeed within the limit; the error is what it
/// says.
pub(crate) fn succeeds(what: &str, command: Command, limit: Duration) -> Result<(), String> {
    let output = output(what, command, limit)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{what}: {}: {}", output.status, said.trim()))
}

/// Looks until `look` is content, or the limit has passed; the error names what
/// was waited for and what the last look found.
pub(crate) fn wait<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(error) if start.elapsed() > limit => {
                let seconds = limit.as_secs();
                return Err(format!("waited {seconds} s for {what}: {error}"));
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

/// The end of a log, as the end of an error.
pub(crate) fn last_lines(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(LINES);
    let last = lines.iter().skip(skipped);
    let last: String = last.map(|line| format!("\n  {line}")).collect();
    format!("\n  the end of {}:{last}", log.display())
}

/// A log's end, for standard output and standard error.
pub(crate) fn append(log: &Path) -> Result<(File, File), String> {
    let failed = |error| format!("{}: {error}", log.display());
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).open(log);
    let file = file.map_err(failed)?;
    let other = file.try_clone().map_err(failed)?;
    Ok((file, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn log(name: &str) -> std::path::PathBuf {
        let log = std::env::temp_dir().join(format!("xtask-{}-{name}.log", std::process::id()));
        let _ = fs::remove_file(&log);
        log
    }

    #[test]
    fn a_failure_shows_the_end_of_the_log() {
        let log = log("failure");
        let script = "for i in $(seq 30); do echo line $i; done; exit 3";
        let error = run("counting", shell(script), &log, Duration::from_secs(30)).unwrap_err();
        assert!(
            error.starts_with("counting: exit status: 3\n  the end of "),
            "{error}"
        );
        assert!(
            error.contains(":\n  line 11\n") && error.ends_with("\n  line 30"),
            "{error}"
        );
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn waiting_ends() {
        let log = log("limit");
        let limit = Duration::from_millis(50);
        let error = run("sleeping", shell("exec sleep 60"), &log, limit).unwrap_err();
        assert!(
            error.starts_with("waited 0 s for sleeping: still running"),
            "{error}"
        );
        let error = output("sleeping", shell("exec sleep 60"), limit).unwrap_err();
        assert_eq!(error, "waited 0 s for sleeping: still running");
        fs::remove_file(log).unwrap();
    }
}
