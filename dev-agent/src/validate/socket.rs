//! The announced socket, looked up while the announce is open
//! (docs/PROTOCOL.md, "Announce"). Linux only: it reads `/proc`.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::report::Report;
use super::rule::Rule;
use crate::protocol::Ends;
use crate::tcp_table;

/// Checks that `fd` and `inode` name a connection to the agent.
pub(crate) fn check(body: &Map<String, Value>, ends: Ends, report: &mut Report) {
    let local = ends.peer.ip().is_loopback() || ends.peer.ip() == ends.local.ip();
    let table = tcp_table::read(Path::new("/proc/self/net"));
    if !local || table.is_empty() {
        return;
    }
    let (Some(pid), Some(fd), Some(inode)) = (
        body.get("pid").and_then(Value::as_u64),
        number(body.get("fd")),
        body.get("inode")
            .and_then(Value::as_str)
            .filter(|inode| inode.starts_with("socket:[")),
    ) else {
        return;
    };
    let Some(named) = table
        .iter()
        .find(|row| inode == format!("socket:[{}]", row.inode))
    else {
        let message = "is no open TCP socket of this host";
        return report.text(Rule::AnnounceSocket, "/inode", inode, message);
    };
    if named.remote_port != ends.local.port() {
        let message = "is a socket that is not connected to the agent";
        return report.text(Rule::AnnounceSocket, "/inode", inode, message);
    }
    match link(pid, fd) {
        Link::Unknown => {
            let message = "the process cannot be looked into (another pid namespace or user)";
            report.text(
                Rule::AnnounceSocketUnchecked,
                "/pid",
                &pid.to_string(),
                message,
            );
        }
        Link::To(target) if target != inode => {
            let message = format!("fd {fd} of process {pid} is {target}");
            report.text(Rule::AnnounceSocket, "/fd", &fd.to_string(), message);
        }
        Link::None => {
            let message = format!("process {pid} has no open fd {fd}");
            report.text(Rule::AnnounceSocket, "/fd", &fd.to_string(), message);
        }
        Link::To(_) if named.local_port != ends.peer.port() => {
            let message = "is a connection to the agent, but not the one that carries the announce";
            report.text(Rule::AnnounceOtherSocket, "/inode", inode, message);
        }
        Link::To(_) => {}
    }
}

fn number(fd: Option<&Value>) -> Option<u64> {
    let fd = fd?;
    fd.as_u64().or_else(|| fd.as_str()?.parse().ok())
}

enum Link {
    To(String),
    None,
    Unknown,
}

fn link(pid: u64, fd: u64) -> Link {
    let folder = format!("/proc/{pid}/fd");
    if fs::read_dir(&folder).is_err() {
        return Link::Unknown;
    }
    match fs::read_link(Path::new(&folder).join(fd.to_string())) {
        Ok(target) => Link::To(target.to_string_lossy().into_owned()),
        Err(_) => Link::None,
    }
}
