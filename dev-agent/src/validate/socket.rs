//! The announced socket, looked up while the announce is open
//! (agent-protocol.md 1.4). Linux only: it reads `/proc`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value};

use super::report::Report;
use super::rule::Rule;

/// Both ends of the connection that carries an announce.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// Checks that `fd` and `inode` name a connection to the agent.
pub(crate) fn check(body: &Map<String, Value>, ends: Ends, report: &mut Report) {
    let local = ends.peer.ip().is_loopback() || ends.peer.ip() == ends.local.ip();
    let table = connections();
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
    if !named.reaches(ends.local.port()) {
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

/// A row of `/proc/net/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    local_port: u16,
    remote_port: u16,
    inode: u64,
}

impl Row {
    fn reaches(&self, port: u16) -> bool {
        self.remote_port == port
    }
}

fn connections() -> Vec<Row> {
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|text| text.lines().filter_map(row).collect::<Vec<_>>())
        .collect()
}

fn row(line: &str) -> Option<Row> {
    let mut fields = line.split_ascii_whitespace();
    let port = |address: Option<&str>| {
        let (_, port) = address?.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    let local_port = port(fields.nth(1))?;
    let remote_port = port(fields.next())?;
    let inode = fields.nth(6)?.parse().ok()?;
    Some(Row {
        local_port,
        remote_port,
        inode,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rows_of_both_tables() {
        let v4 = "   3: 0100007F:AED6 0100007F:A6CB 01 00000000:00000000 02:00000A2B 00000000     0        0 162034 2 0000 20 4 30 10 -1";
        let v6 = "   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 77 1 0000 20 0 0 10 -1";
        let expected = Row {
            local_port: 0xAED6,
            remote_port: 42699,
            inode: 162_034,
        };
        assert_eq!(row(v4), Some(expected));
        assert_eq!(
            row(v6).map(|row| (row.local_port, row.inode)),
            Some((80, 77))
        );
        assert_eq!(row("  sl  local_address rem_address   st"), None);
    }
}
