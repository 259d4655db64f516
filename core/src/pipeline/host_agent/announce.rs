//! The announce: what we say, and what the answer means (docs/PROTOCOL.md,
//! "Announce" and "Answer to the announce").

use std::fmt;

use serde_json::{Value, json};

use crate::config::Tree;
use crate::pipeline::host_agent::identity::Process;
use crate::pipeline::host_agent::socket::SocketName;

/// The longest host id in bytes: it is repeated in every span.
const MAX_UUID: usize = 256;

/// A successful announce.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Announced {
    /// The pid as the host sees it: in all later URLs and in `f.e`.
    pub(crate) pid: u64,
    /// The host's id: `f.h`.
    pub(crate) agent_uuid: String,
    /// Everything else, all of it optional.
    pub(crate) settings: Tree,
}

/// Why a 2xx answer to the announce cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// No JSON at all.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// No `pid` above zero.
    NoPid,
    /// No `agentUuid`, or an empty or overlong one.
    NoAgentUuid,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "the answer is not JSON",
            Self::NotAnObject => "the answer is not a JSON object",
            Self::NoPid => "the answer has no usable `pid`",
            Self::NoAgentUuid => "the answer has no usable `agentUuid`",
        })
    }
}

/// The body of the announce: the union of what the siblings send. `socket` is
/// the connection that carries it.
pub(crate) fn body(process: &Process, socket: Option<&SocketName>) -> Vec<u8> {
    let mut body = json!({
        "pid": process.pid,
        "pidFromParentNS": process.pid_from_parent,
        "name": process.name,
        "args": process.arguments,
    });
    if let Some(fields) = body.as_object_mut() {
        if let Some(socket) = socket {
            fields.insert("fd".to_owned(), Value::from(socket.fd.as_str()));
            fields.insert("inode".to_owned(), Value::from(socket.inode.as_str()));
        }
        if let Some(cpuset) = &process.cpuset {
            fields.insert("cpuSetFileContent".to_owned(), Value::from(cpuset.as_str()));
        }
    }
    body.to_string().into_bytes()
}

/// Reads a 2xx answer. Only `pid` and `agentUuid` are required (Python's rule).
pub(crate) fn parse(answer: &[u8]) -> Result<Announced, Unusable> {
    let answer: Value = serde_json::from_slice(answer).map_err(|_| Unusable::NotJson)?;
    let answer = answer.as_object().ok_or(Unusable::NotAnObject)?;
    let pid = match answer.get("pid") {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(number) => number.as_u64(),
        None => None,
    };
    let agent_uuid = answer
        .get("agentUuid")
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|uuid| !uuid.is_empty() && uuid.len() <= MAX_UUID);
    Ok(Announced {
        pid: pid.filter(|pid| *pid > 0).ok_or(Unusable::NoPid)?,
        agent_uuid: agent_uuid.ok_or(Unusable::NoAgentUuid)?.to_owned(),
        settings: Tree::of_answer(answer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let mut process = Process {
            pid: 17,
            pid_from_parent: false,
            name: "/app/\"shop\"".to_owned(),
            arguments: vec!["--port".to_owned(), "8080".to_owned()],
            cpuset: None,
        };
        let read = |body: Vec<u8>| serde_json::from_slice::<Value>(&body).unwrap();
        let expected = json!({
            "pid": 17, "pidFromParentNS": false, "name": "/app/\"shop\"",
            "args": ["--port", "8080"],
        });
        assert_eq!(read(body(&process, None)), expected);
        process.cpuset = Some("/docker/3f0c\n".to_owned());
        process.pid_from_parent = true;
        let socket = SocketName {
            fd: "9".to_owned(),
            inode: "socket:[4026531]".to_owned(),
        };
        let expected = json!({
            "pid": 17, "pidFromParentNS": true, "name": "/app/\"shop\"",
            "args": ["--port", "8080"], "fd": "9", "inode": "socket:[4026531]",
            "cpuSetFileContent": "/docker/3f0c\n",
        });
        assert_eq!(read(body(&process, Some(&socket))), expected);
    }

    #[test]
    fn answers_of_every_shape() {
        let minimal = |pid| {
            Ok(Announced {
                pid,
                agent_uuid: "u".to_owned(),
                settings: Tree::of_answer(&serde_json::Map::new()),
            })
        };
        let long = format!(r#"{{"pid":1,"agentUuid":"{}"}}"#, "u".repeat(MAX_UUID + 1));
        let deep = "[".repeat(100_000);
        let large = format!(
            r#"{{"pid":1,"agentUuid":"u","x":"{}"}}"#,
            "x".repeat(10_000_000)
        );
        #[rustfmt::skip]
        let table: [(&[u8], Result<Announced, Unusable>); 24] = [
            (br#"{"pid":17,"agentUuid":"u"}"#, minimal(17)),
            (br#"{"pid":"17","agentUuid":" u ","unknown":{"a":[1]}}"#, minimal(17)),
            (large.as_bytes(), minimal(1)),
            (b"", Err(Unusable::NotJson)),
            (b"OK", Err(Unusable::NotJson)),
            (b"<html></html>", Err(Unusable::NotJson)),
            (b"{\"pid\":17,\"agentUuid\":\"\xff\"}", Err(Unusable::NotJson)),
            (br#"{"pid":17,"agentUuid":"u""#, Err(Unusable::NotJson)),
            (deep.as_bytes(), Err(Unusable::NotJson)),
            (b"null", Err(Unusable::NotAnObject)),
            (b"[]", Err(Unusable::NotAnObject)),
            (b"17", Err(Unusable::NotAnObject)),
            (br#"[{"pid":17,"agentUuid":"u"}]"#, Err(Unusable::NotAnObject)),
            (b"{}", Err(Unusable::NoPid)),
            (br#"{"pid":null,"agentUuid":"u"}"#, Err(Unusable::NoPid)),
            (br#"{"pid":0,"agentUuid":"u"}"#, Err(Unusable::NoPid)),
            (br#"{"pid":-1,"agentUuid":"u"}"#, Err(Unusable::NoPid)),
            (br#"{"pid":1.5,"agentUuid":"u"}"#, Err(Unusable::NoPid)),
            (br#"{"pid":"seven","agentUuid":"u"}"#, Err(Unusable::NoPid)),
            (br#"{"pid":[17],"agentUuid":"u"}"#, Err(Unusable::NoPid)),
            (br#"{"pid":17}"#, Err(Unusable::NoAgentUuid)),
            (br#"{"pid":17,"agentUuid":7}"#, Err(Unusable::NoAgentUuid)),
            (br#"{"pid":17,"agentUuid":""}"#, Err(Unusable::NoAgentUuid)),
            (long.as_bytes(), Err(Unusable::NoAgentUuid)),
        ];
        for (answer, expected) in table {
            let text = String::from_utf8_lossy(answer);
            assert_eq!(parse(answer), expected, "{text:.80}");
        }
    }

    #[test]
    fn wrong_settings_do_not_fail_the_announce() {
        let answer = br#"{"pid":31877,"agentUuid":"0a:1b","secrets":[],"extraHeaders":7,
            "tracing":{"extra-http-headers":["X-Tenant"],"disable":["logging"],"global":4},
            "plugin.golang":{"poll_rate":5}}"#;
        let announced = parse(answer).unwrap();
        assert_eq!(announced.pid, 31877);
        let expected: Value = serde_json::from_slice(answer).unwrap();
        let expected = Tree::of_answer(expected.as_object().unwrap());
        assert_eq!(announced.settings, expected);
    }
}
