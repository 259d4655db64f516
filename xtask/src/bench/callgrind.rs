//! Instructions, as callgrind counts them: the same on each run.
//!
//! gungraun (iai-callgrind before) does not fit: its results come from a program `gungraun-runner`
//! of the same version, which a bare machine had to build and to keep in step; its metrics are
//! totals of each thread and not sums over functions by name (the measured one, the draining, the
//! JSON pass inside the background); it compares with what an earlier run has left in `target`,
//! not with a file in the repository; and the other libraries and the counted allocations of the
//! same program would need a second harness beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the benchmarks' measured functions are called.
const MEASURED: [&str; 4] = [
    "::measured_burst",
    "::measured_request",
    "::measured_documents",
    "::measured_poll",
];

/// The part of the calling thread in getting spans out.
const DRAINED: &str = "::count::drained";

/// The tracer's JSON pass.
const JSON: &str = "export::encoder::Encoder::encode";

/// Instructions of one run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Instructions {
    /// Of the measured functions.
    pub(crate) hot: u64,
    /// Of all other threads, and of the calling thread for draining.
    pub(crate) background: u64,
    /// Of the tracer's JSON pass, which is part of the background.
    pub(crate) json: u64,
}

/// Runs a program under callgrind; its files go to `folder`, which is emptied.
pub(crate) fn run(
    program: &Path,
    arguments: &[&str],
    folder: &Path,
) -> Result<(Instructions, String), String> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let output = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--separate-threads=yes"])
        .args(["--compress-strings=no", "--compress-pos=no"])
        .arg(format!(
            "--callgrind-out-file={}",
            folder.join("profile").display()
        ))
        .arg(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("valgrind could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((read(folder)?, answer))
}

/// Adds up the profiles of all threads.
fn read(folder: &Path) -> Result<Instructions, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut sum = Instructions::default();
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    for file in files {
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let profile = Profile::parse(&String::from_utf8_lossy(&bytes));
        sum.hot +=
            profile.inclusive(|name| MEASURED.iter().any(|measured| name.ends_with(measured)));
        sum.json += profile.inclusive(|name| name.ends_with(JSON));
        sum.background += match profile.thread {
            0 | 1 => profile.inclusive(|name| name.ends_with(DRAINED)),
            _ => profile.total,
        };
    }
    Ok(sum)
}

/// One thread's profile.
#[derive(Debug, Default)]
struct Profile {
    thread: u32,
    total: u64,
    /// Instructions of functions and what they call, by name.
    called: BTreeMap<String, u64>,
}

impl Profile {
    fn parse(text: &str) -> Self {
        let mut profile = Self::default();
        let (mut callee, mut is_call) = (None, false);
        for line in text.lines() {
            if is_call {
                is_call = false;
                let cost = line.rsplit(' ').next();
                let cost: Option<u64> = cost.and_then(|cost| cost.parse().ok());
                if let (Some(name), Some(cost)) = (callee.take(), cost) {
                    let sum: &mut u64 = profile.called.entry(name).or_default();
                    *sum += cost;
                }
            } else if let Some(name) = line.strip_prefix("cfn=") {
                callee = Some(name.to_owned());
            } else if line.starts_with("calls=") {
                is_call = true;
            } else if let Some(thread) = line.strip_prefix("thread: ") {
                profile.thread = thread.parse().unwrap_or_default();
            } else if let Some(total) = line.strip_prefix("totals: ") {
                profile.total = total.trim().parse().unwrap_or_default();
            }
        }
        profile
    }

    fn inclusive(&self, is_meant: impl Fn(&str) -> bool) -> u64 {
        self.called
            .iter()
            .filter(|(name, _)| is_meant(name))
            .map(|(_, cost)| cost)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_added_up() {
        let profile = Profile::parse(
            "version: 1\nthread: 2\nfn=main\n1 5\ncfn=a::count::drained\ncalls=2 7\n3 40\n4 2\n\
             cfn=b\ncalls=1 1\n9 8\nfn=b\ncfn=a::count::drained\ncalls=1 7\n3 2\ntotals: 60\n",
        );
        assert_eq!(profile.thread, 2);
        assert_eq!(profile.total, 60);
        assert_eq!(profile.inclusive(|name| name.ends_with(DRAINED)), 42);
    }
}
