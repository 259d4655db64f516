//! The data of `/proc` about this process and its namespaces (docs/PROTOCOL.md,
//! "Announce").

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use super::code::Code;
use super::report::{Diagnosis, Report};

/// The link of the PID namespace that all others are below (a constant of Linux).
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";
/// A cpuset of this size or more is not announced.
const MAX_CPUSET: usize = 2000;
const CHECK: &str = "process identity";

/// Where `/proc` is.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    proc: PathBuf,
}

/// The identity that the announce contains.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) pid: u64,
    pub(super) from_parent: bool,
    pub(super) name: String,
    pub(super) cpuset: Option<String>,
}

/// A socket as the agent can find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SocketName {
    pub(super) fd: String,
    pub(super) inode: String,
}

impl Surroundings {
    pub(super) fn new(proc: PathBuf) -> Self {
        Self { proc }
    }

    pub(super) fn proc(&self) -> &Path {
        &self.proc
    }

    fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.proc.join(file)).ok()
    }

    fn link(&self, file: &str) -> Option<String> {
        let target = fs::read_link(self.proc.join(file)).ok()?;
        Some(target.to_string_lossy().into_owned())
    }

    /// Whether pids here are the whole host's pids; `None` if that is unknown.
    pub(super) fn initial_pid_namespace(&self) -> Option<bool> {
        Some(self.link("self/ns/pid")? == INITIAL_PID_NAMESPACE)
    }

    pub(super) fn identity(&self) -> Identity {
        let own = u64::from(std::process::id());
        let sched = self.read("self/sched");
        let parent = sched.as_deref().and_then(parent_pid);
        let parent = parent.filter(|pid| *pid != own);
        let command = self.read("self/cmdline").unwrap_or_default();
        let name = command.split('\0').next().unwrap_or_default();
        let name = if name.is_empty() {
            "instana-dev-agent"
        } else {
            name
        };
        Identity {
            pid: parent.unwrap_or(own),
            from_parent: parent.is_some(),
            name: name.to_owned(),
            cpuset: self
                .read("self/cpuset")
                .filter(|content| !content.is_empty() && content.len() < MAX_CPUSET),
        }
    }

    /// The gateway of the first default route.
    pub(super) fn gateway(&self) -> Option<Ipv4Addr> {
        gateway(&self.read("self/net/route")?)
    }

    /// The name of an open socket.
    #[cfg(unix)]
    pub(super) fn socket(&self, stream: &TcpStream) -> Option<SocketName> {
        use std::os::fd::AsRawFd as _;
        let fd = stream.as_raw_fd().to_string();
        let inode = self.link(&format!("self/fd/{fd}"))?;
        inode
            .starts_with("socket:[")
            .then_some(SocketName { fd, inode })
    }

    /// Systems without descriptors have no names of them.
    #[cfg(not(unix))]
    pub(super) fn socket(&self, _stream: &TcpStream) -> Option<SocketName> {
        None
    }

    /// Whether the system can have a `/proc`.
    pub(super) fn expected() -> bool {
        cfg!(target_os = "linux")
    }

    pub(super) fn is_there(&self) -> bool {
        self.proc.join("self/fd").is_dir()
    }

    /// Reports the identity of this process that the agent can see.
    pub(super) fn examine(&self, report: &mut Report) {
        if !Self::expected() {
            return;
        }
        if !self.is_there() {
            let finding = format!("{}/self/fd does not exist", self.proc.display());
            return report.found(Diagnosis::new(Code::ProcMissing, finding));
        }
        let identity = self.identity();
        let space = match self.initial_pid_namespace() {
            Some(true) => "the host's PID namespace",
            Some(false) => "a PID namespace of its own (a container)",
            None => "an unknown PID namespace",
        };
        let parent = if identity.from_parent {
            " in the parent's"
        } else {
            ""
        };
        let cpuset = identity.cpuset.as_deref().unwrap_or("none").trim();
        report.fact(
            CHECK,
            format!("pid {}{parent}, {space}, cpuset {cpuset}", identity.pid),
        );
        let mounts = self.read("self/mountinfo").unwrap_or_default();
        if let Some(option) = hidepid(&mounts) {
            let finding = format!("/proc is mounted with {option}");
            report.found(Diagnosis::new(Code::ProcHidepid, finding));
        }
    }
}

/// The pid in `name (123, #threads: 4)`; the name may hold parentheses.
fn parent_pid(sched: &str) -> Option<u64> {
    let line = sched.lines().next()?;
    line.rsplit('(').find_map(|group| {
        let (digits, _) = group.split_once(',')?;
        digits.parse().ok().filter(|pid| *pid > 0)
    })
}

/// The gateway of the first line whose destination is `00000000`: eight digits,
/// little endian.
fn gateway(table: &str) -> Option<Ipv4Addr> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (destination, gateway) = (fields.next()?, fields.next()?);
        if destination != "00000000" || gateway.len() != 8 {
            return None;
        }
        let address = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_le_bytes());
        (!address.is_unspecified()).then_some(address)
    })
}

/// The mount option of `proc` that hides processes of other users.
fn hidepid(mounts: &str) -> Option<&str> {
    let proc = mounts.lines().find_map(|line| {
        let (_, tail) = line.split_once(" - ")?;
        tail.starts_with("proc ").then_some(tail)
    })?;
    let options = proc.rsplit(' ').next()?.split(',');
    let mut hiding = options.filter(|option| option.starts_with("hidepid="));
    hiding.find(|option| !matches!(*option, "hidepid=0" | "hidepid=off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents() {
        assert_eq!(parent_pid("shop (17, #threads: 4)\n---"), Some(17));
        assert_eq!(parent_pid("a (b, c) (9, #threads: 1)"), Some(9));
        assert_eq!(parent_pid("shop"), None);
    }

    #[test]
    fn gateways() {
        let head = "Iface\tDestination\tGateway\n";
        let table = |lines: &str| gateway(&format!("{head}{lines}"));
        let found = table("eth0\t0001A8C0\t00000000\neth0\t00000000\t0101A8C0\n");
        assert_eq!(found, Some(Ipv4Addr::new(192, 168, 1, 1)));
        assert_eq!(table("eth0\t00000000\t00000000\n"), None);
        assert_eq!(table("eth0\t00000000\t01A8C0\n"), None);
    }

    #[test]
    fn hidden_processes() {
        let line = |options: &str| {
            format!("22 27 0:21 / /proc rw - proc proc {options}\n30 1 0:9 / /x rw - tmpfs t rw\n")
        };
        assert_eq!(hidepid(&line("rw,hidepid=2")), Some("hidepid=2"));
        assert_eq!(
            hidepid(&line("rw,hidepid=invisible,gid=4")),
            Some("hidepid=invisible")
        );
        assert_eq!(hidepid(&line("rw,hidepid=0")), None);
        assert_eq!(hidepid(&line("rw")), None);
    }
}
