//! A `/proc` made of files, and what the doctor reads from it.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use instana_dev_agent::doctor::Code;
use instana_dev_agent::{Config, DevAgent};

use super::server::{Act, Server};
use super::{agent, assert_found, doctor};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that looks like `/proc`; removed when dropped.
pub(super) struct Proc(PathBuf);

impl Proc {
    pub(super) fn empty() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("proc-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    /// As on a host: no container, no gateway.
    pub(super) fn host() -> Self {
        let proc = Self::empty();
        proc.link("self/fd", "/proc/self/fd");
        proc.link("self/ns/pid", "pid:[4026531836]");
        proc.link("self/ns/net", "net:[1]");
        proc.file("self/cmdline", "/app/doctor\0doctor\0");
        proc.file("self/cpuset", "/\n");
        proc
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    pub(super) fn file(&self, path: &str, content: &str) -> &Self {
        fs::write(self.parent(path), content).expect("a file");
        self
    }

    pub(super) fn link(&self, path: &str, target: &str) -> &Self {
        let link = self.parent(path);
        let _ = fs::remove_file(&link);
        symlink(target, link).expect("a link");
        self
    }

    fn parent(&self, path: &str) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        path
    }
}

impl Drop for Proc {
    fn drop(&mut self) {
        // Links are removed, not followed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn found_with(proc: &Proc) -> Vec<Code> {
    let agent = agent(Config::new().check_sockets(false));
    doctor(agent.addr().port(), proc).examine().codes()
}

#[test]
fn no_proc() {
    assert_eq!(found_with(&Proc::empty()), [Code::ProcMissing]);
}

#[test]
fn processes_are_hidden() {
    let proc = Proc::host();
    proc.file(
        "self/mountinfo",
        "22 27 0:21 / /proc rw,relatime - proc proc rw,hidepid=invisible\n",
    );
    assert_eq!(found_with(&proc), [Code::ProcHidepid]);
}

#[test]
fn sockets_have_no_names() {
    let proc = Proc::host();
    let folder = env!("CARGO_TARGET_TMPDIR");
    proc.link("self/fd", folder);
    assert_eq!(found_with(&proc), [Code::SocketUnnamed]);
}

#[test]
fn a_container_whose_pid_is_not_mapped() {
    let proc = Proc::host();
    proc.link("self/ns/pid", "pid:[4026532600]");
    assert_eq!(found_with(&proc), [Code::PidUnmapped]);
    // The parent's pid is known: nothing has to be mapped.
    proc.file("self/sched", "doctor (4711, #threads: 1)\n");
    assert_eq!(found_with(&proc), []);
}

/// A port of 127.0.0.1 that refuses connections as long as the agent lives.
fn refusing() -> (DevAgent, u16) {
    let stopped = agent(Config::new());
    stopped.stop();
    let port = stopped.addr().port();
    (stopped, port)
}

#[test]
fn the_agent_is_at_the_default_gateway() {
    let (_refusing, port) = refusing();
    let gateway = Server::at(&format!("127.0.0.2:{port}"), |_| None);
    let proc = Proc::host();
    let hex = u32::from_le_bytes(Ipv4Addr::new(127, 0, 0, 2).octets());
    let route = format!("Iface\tDestination\tGateway\neth0\t00000000\t{hex:08X}\n");
    proc.file("self/net/route", &route);
    let report = doctor(gateway.port(), &proc).examine();
    assert_found(&report, &[Code::AgentAtGateway]);
    assert!(
        report.diagnoses[0].finding.contains("127.0.0.2"),
        "{report:?}"
    );
    // Tracers that shall not look there do not find it.
    let report = doctor(gateway.port(), &proc).gateway(false).examine();
    assert_found(&report, &[Code::ConnectRefused]);
}

#[test]
fn nothing_at_the_default_gateway_either() {
    let (_refusing, port) = refusing();
    let gateway = Server::at(&format!("127.0.0.2:{port}"), |_| Some(Act::status(404)));
    let proc = Proc::host();
    proc.file(
        "self/net/route",
        "Iface\tDestination\tGateway\neth0\t00000000\t0200007F\n",
    );
    let report = doctor(gateway.port(), &proc).examine();
    assert_found(&report, &[Code::ConnectRefused]);
    assert!(
        report.diagnoses[0].finding.contains("default gateway"),
        "{report:?}"
    );
}
