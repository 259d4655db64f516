//! A process that should be visible in Instana, looked at from outside.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::budget::Budget;
use super::code::Code;
use super::environment::Environment;
use super::report::{Diagnosis, Report};
use super::surroundings::Surroundings;
use crate::tcp_table;

const CHECK: &str = "process";
/// The number of checks, so that a tracer has time to reconnect.
const LOOKS: u32 = 3;

/// The process under examination.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pid: u64,
    folder: PathBuf,
}

impl Process {
    /// Finds the process; reports if it is missing.
    pub(super) fn find(pid: u64, around: &Surroundings, report: &mut Report) -> Option<Self> {
        let folder = around.proc().join(pid.to_string());
        if !folder.is_dir() {
            let finding = format!("no process has the pid {pid}");
            report.found(Diagnosis::new(Code::ProcessMissing, finding));
            return None;
        }
        let process = Self { pid, folder };
        let command = process.command();
        report.fact(CHECK, format!("{pid} is {command}"));
        process.compare_network(around, report);
        Some(process)
    }

    /// Its variables; reports if they are hidden.
    pub(super) fn environment(&self, report: &mut Report) -> Option<Environment> {
        match fs::read(self.folder.join("environ")) {
            Ok(bytes) => Some(variables(&bytes)),
            Err(error) => {
                self.hidden(&format!("environ: {error}"), report);
                None
            }
        }
    }

    /// Where the process sees `/`.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Reports whether the process has a connection to the agent's port.
    pub(super) fn examine_connection(&self, port: u16, budget: Budget, report: &mut Report) {
        for look in 0..LOOKS {
            if look > 0 {
                std::thread::sleep(budget.part(Duration::from_millis(500)));
            }
            match self.is_connected(port) {
                Ok(true) => {
                    let text = format!("{} has a connection to port {port}", self.pid);
                    return report.fact(CHECK, text);
                }
                Ok(false) => {}
                Err(error) => return self.hidden(&format!("fd: {error}"), report),
            }
        }
        let finding = format!("process {} has no connection to port {port}", self.pid);
        report.found(Diagnosis::new(Code::ProcessUnconnected, finding));
    }

    fn is_connected(&self, port: u16) -> std::io::Result<bool> {
        let mut open = Vec::new();
        for entry in fs::read_dir(self.folder.join("fd"))? {
            // Descriptors come and go while they are listed.
            let Ok(link) = entry.and_then(|entry| fs::read_link(entry.path())) else {
                continue;
            };
            open.extend(inode(&link.to_string_lossy()));
        }
        let rows = tcp_table::read(&self.folder.join("net"));
        Ok(rows
            .iter()
            .any(|row| row.remote_port == port && row.established && open.contains(&row.inode)))
    }

    fn command(&self) -> String {
        let line = fs::read(self.folder.join("cmdline")).unwrap_or_default();
        let name = line.split(|byte| *byte == 0).next().unwrap_or_default();
        if name.is_empty() {
            return "without a command line".to_owned();
        }
        String::from_utf8_lossy(name).into_owned()
    }

    fn compare_network(&self, around: &Surroundings, report: &mut Report) {
        let space = |folder: PathBuf| fs::read_link(folder.join("ns/net")).ok();
        let own = space(around.proc().join("self"));
        let theirs = space(self.folder.clone());
        if own.is_some() && theirs.is_some() && own != theirs {
            let finding = format!("process {} is in another network namespace", self.pid);
            report.found(Diagnosis::new(Code::ProcessNamespace, finding));
        }
    }

    fn hidden(&self, trouble: &str, report: &mut Report) {
        if report.codes().contains(&Code::ProcessHidden) {
            return;
        }
        let finding = format!("/proc/{}/{trouble}", self.pid);
        report.found(Diagnosis::new(Code::ProcessHidden, finding));
    }
}

fn inode(link: &str) -> Option<u64> {
    let digits = link.strip_prefix("socket:[")?.strip_suffix(']')?;
    digits.parse().ok()
}

/// `NAME=value`, each ended by a NUL.
fn variables(bytes: &[u8]) -> Environment {
    let each = bytes.split(|byte| *byte == 0);
    each.filter_map(|variable| {
        let text = String::from_utf8_lossy(variable);
        let (name, value) = text.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    })
    .collect()
}
