//! A server's process, found again by the file with its number.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::command;
use crate::user::User;

/// How long a server has for its own end, and for that by force.
const STOP: Duration = Duration::from_secs(30);
const KILL: Duration = Duration::from_secs(5);

/// What the kernel counts a process's start in: hundredths of a second since
/// the machine's.
const TICKS: u64 = 100;

/// A process with its files, in a folder of its service.
#[derive(Debug)]
pub(crate) struct Process {
    folder: PathBuf,
    name: &'static str,
}

/// A process that runs. A number alone may be another's by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    started: u64,
}

impl Process {
    pub(crate) fn new(folder: &Path, name: &'static str) -> Self {
        Self {
            folder: folder.to_owned(),
            name,
        }
    }

    /// Starts it in a session of its own, so that it outlives the task and its
    /// terminal; as another user where one is given.
    pub(crate) fn start(&self, server: &Command, user: Option<User>) -> Result<(), String> {
        let failed = |error| format!("{} could not be started: {error}", self.name);
        // What the last one said is of no use any more.
        let _ = fs::remove_file(self.log());
        let (out, err) = command::append(&self.log())?;
        let mut setsid = Command::new("setsid");
        setsid.arg(server.get_program()).args(server.get_args());
        setsid.stdin(Stdio::null()).stdout(out).stderr(err);
        for (name, value) in server.get_envs() {
            match value {
                Some(value) => setsid.env(name, value),
                None => setsid.env_remove(name),
            };
        }
        setsid.current_dir(&self.folder);
        if let Some(user) = user {
            setsid.gid(user.gid).uid(user.uid);
        }
        let child = setsid.spawn().map_err(failed)?;
        let running = Running::find(child.id()).ok_or("it ended at once");
        let running = running.map_err(|error| format!("{}: {error}", self.name))?;
        let line = format!("{} {}\n", running.pid, running.started);
        fs::write(self.pid_file(), line).map_err(failed)
    }

    /// Its number, where it still is that process.
    pub(crate) fn running(&self) -> Option<Running> {
        let line = fs::read_to_string(self.pid_file()).ok()?;
        let noted = Running::parse(&line)?;
        Running::find(noted.pid).filter(|running| *running == noted)
    }

    /// Ends it where it runs; whether it did.
    pub(crate) fn stop(&self, signal: &str) -> Result<bool, String> {
        let Some(running) = self.running() else {
            return Ok(false);
        };
        let what = format!("the end of {} (pid {})", self.name, running.pid);
        let ended = |limit| {
            command::wait(&what, limit, || match self.running() {
                None => Ok(()),
                Some(_) => Err("still running".to_owned()),
            })
        };
        running.signal(signal);
        if ended(STOP).is_err() {
            running.signal("KILL");
            ended(KILL)?;
        }
        let _ = fs::remove_file(self.pid_file());
        Ok(true)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(self.name).with_extension("log")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join(self.name).with_extension("pid")
    }
}

impl Running {
    /// For how many seconds it has been running.
    pub(crate) fn seconds(self) -> u64 {
        let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
        let uptime = uptime.split('.').next().and_then(|text| text.parse().ok());
        let uptime: u64 = uptime.unwrap_or_default();
        uptime.saturating_sub(self.started / TICKS)
    }

    fn parse(line: &str) -> Option<Self> {
        let (pid, started) = line.trim().split_once(' ')?;
        Some(Self {
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
        })
    }

    fn find(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let started = started(&stat)?;
        Some(Self { pid, started })
    }

    /// The shell's own `kill`: a bare machine has no program of this name.
    fn signal(self, signal: &str) {
        let script = format!("kill -s {signal} {}", self.pid);
        let mut kill = Command::new("/bin/sh");
        kill.args(["-c", &script]).stderr(Stdio::null());
        let _ = kill.status();
    }
}

/// When a process has started; none where it is only waited for by its parent.
fn started(stat: &str) -> Option<u64> {
    // The name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    (state != "Z" && state != "X").then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_process_is_read() {
        let stat = |name: &str, state: &str| {
            format!("12 ({name}) {state} 1 12 12 0 -1 4 5 6 7 8 9 10 11 12 20 0 1 0 4711 999 3\n")
        };
        assert_eq!(started(&stat("redis-server", "S")), Some(4711));
        assert_eq!(started(&stat("odd) Z 1 (name", "S")), Some(4711));
        assert_eq!(started(&stat("redis-server", "Z")), None);
        assert_eq!(started("12 (short) S 1"), None);
    }

    #[test]
    fn a_process_is_found_again_and_ended() {
        let folder = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let process = Process::new(&folder, "sleeper");
        assert_eq!(process.running(), None);
        let mut sleep = Command::new("sleep");
        sleep.arg("60");
        process.start(&sleep, None).unwrap();
        let running = process.running().unwrap();
        assert!(running.seconds() < 60);

        // The same number, another process.
        let noted = fs::read_to_string(process.pid_file()).unwrap();
        let other = format!("{} {}", running.pid, running.started + 1);
        fs::write(process.pid_file(), other).unwrap();
        assert_eq!(process.running(), None);
        assert_eq!(process.stop("TERM"), Ok(false));
        fs::write(process.pid_file(), noted).unwrap();

        assert_eq!(process.stop("TERM"), Ok(true));
        assert_eq!(Running::find(running.pid), None);
        assert_eq!(process.stop("TERM"), Ok(false));
        fs::remove_dir_all(folder).unwrap();
    }
}
