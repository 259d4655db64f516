//! `Request`: an entry of the request log.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::protocol::RequestKind;
use crate::store::Weigh;

/// An entry of the request log. The control API's own requests are not in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// Order of arrival, from 1.
    pub seq: u64,
    /// Since the agent's start.
    pub at: Duration,
    /// Arrival, ms since 1970.
    pub at_ms: u64,
    /// The sender.
    pub peer: SocketAddr,
    /// What it is for.
    pub kind: RequestKind,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The first 4 KiB of the body.
    pub body: String,
    /// The length of the body in bytes.
    pub body_len: usize,
    /// The pid in the URL.
    pub pid: Option<u64>,
    /// The answered status; `None` while it is open and where a fault ate the answer.
    pub status: Option<u16>,
    /// Whether a fault hit it.
    pub fault: bool,
}

impl Request {
    /// The value of a header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The entry as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "seq": self.seq, "at_ms": self.at_ms, "peer": self.peer.to_string(),
            "kind": self.kind.name(), "method": self.method, "path": self.path,
            "headers": self.headers, "body": self.body, "body_len": self.body_len,
            "pid": self.pid, "status": self.status, "fault": self.fault,
        })
    }
}

impl Weigh for Request {
    fn weight(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers
            .map(|(name, value)| 2 * size_of::<String>() + name.weight() + value.weight())
            .sum();
        self.method.weight() + self.path.weight() + self.body.weight() + headers
    }
}
