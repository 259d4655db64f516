//! A tracer of a few lines: HTTP/1.1 over one connection.

use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use instana_dev_agent::DevAgent;
use serde_json::{Value, json};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A kept-alive connection.
#[derive(Debug)]
pub(crate) struct Client {
    addr: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("the agent listens");
        stream.set_nodelay(true).expect("a socket");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        Self {
            addr,
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn of(agent: &DevAgent) -> Self {
        Self::new(agent.addr())
    }

    /// `fd` and `inode` of this connection, as announces name them.
    pub(crate) fn socket(&self) -> (String, String) {
        let fd = self.stream.get_ref().as_raw_fd();
        let inode = std::fs::read_link(format!("/proc/self/fd/{fd}")).expect("Linux");
        (fd.to_string(), inode.to_string_lossy().into_owned())
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").expect("an answer")
    }

    pub(crate) fn head(&mut self, path: &str) -> Answer {
        self.send("HEAD", path, &[], "").expect("an answer")
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, body).expect("an answer")
    }

    pub(crate) fn put(&mut self, path: &str, body: &Value) -> Answer {
        self.json("PUT", path, body).expect("an answer")
    }

    pub(crate) fn json(&mut self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        self.send(
            method,
            path,
            &[("Content-Type", "application/json")],
            &body.to_string(),
        )
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        let given = |name: &str| {
            headers
                .iter()
                .any(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        if !given("host") {
            text += &format!("Host: {}\r\n", self.addr);
        }
        if !body.is_empty() && !given("content-length") {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        text += body;
        self.raw(text.as_bytes())?;
        self.answer(method == "HEAD")
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends nothing more.
    pub(crate) fn end(&self) {
        let _ = self.stream.get_ref().shutdown(Shutdown::Write);
    }

    /// Everything until the agent closes.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            let reset = error.kind() == std::io::ErrorKind::ConnectionReset;
            assert!(reset, "the agent does not close: {error}");
        }
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// The answer to a request that was sent raw.
    pub(crate) fn answered(&mut self) -> Answer {
        self.answer(false).expect("an answer")
    }

    fn answer(&mut self, head: bool) -> Result<Answer> {
        let mut line = String::new();
        let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        self.stream.read_line(&mut line)?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or_else(broken)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            if self.stream.read_line(&mut header)? == 0 {
                return Err(broken());
            }
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| broken())?;
            }
        }
        let mut body = vec![0; if head { 0 } else { length }];
        self.stream.read_exact(&mut body)?;
        Ok(Answer {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

/// The announce of this very process over this very connection.
pub(crate) fn announce(client: &Client) -> Value {
    let (fd, inode) = client.socket();
    json!({"pid": std::process::id(), "pidFromParentNS": false, "name": "/app/shop", "args": ["--port", "1"],
        "fd": fd, "inode": inode, "cpuSetFileContent": "/\n"})
}

/// Looks up, announces, is ready and sends metrics; returns the answered pid.
pub(crate) fn report_in(client: &mut Client, plugin: &str) -> u64 {
    assert_eq!(client.get("/").status, 200);
    let announce = announce(client);
    let answer = client.put(
        &format!("/com.instana.plugin.{plugin}.discovery"),
        &announce,
    );
    assert_eq!(answer.status, 200);
    let pid = answer.json()["pid"].as_u64().expect("a pid");
    let path = format!("/com.instana.plugin.{plugin}.{pid}");
    assert_eq!(client.head(&path).status, 200);
    assert_eq!(client.post(&path, &metrics(pid, true)).status, 200);
    pid
}

/// Metrics of plugin `rust`.
pub(crate) fn metrics(pid: u64, snapshot: bool) -> Value {
    let mut body = json!({"pid": pid, "metrics": {"tasks": 4, "memory": {"rss": 1.5}}});
    if snapshot {
        body["snapshot"] = json!({"name": "shop", "version": "1.0.0"});
    }
    body
}

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no clock of their own"
)]
pub(crate) fn now_ms() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}
