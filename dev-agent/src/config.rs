//! `Config`: the settings of an agent.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::protocol::AnnounceAnswer;

/// Settings of an agent; see [`Config::new`] for the defaults.
#[derive(Clone, Debug)]
#[must_use = "it takes effect in `DevAgent::start`"]
pub struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) allow_remote: bool,
    pub(crate) token: Option<String>,
    pub(crate) answer: AnnounceAnswer,
    pub(crate) reject_announces: u32,
    pub(crate) reject_ready: u32,
    pub(crate) quiet_after: Duration,
    pub(crate) memory: usize,
    pub(crate) processes: usize,
    pub(crate) connections: usize,
    pub(crate) hosts: Vec<String>,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) kept_requests: usize,
    pub(crate) kept_findings: usize,
    pub(crate) check_times: bool,
    pub(crate) check_sockets: bool,
    pub(crate) check_secrets: bool,
    pub(crate) root_exits: bool,
    pub(crate) strangers: bool,
}

impl Config {
    /// For tests: 127.0.0.1 and a free port, every check on.
    pub fn new() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            token: None,
            answer: AnnounceAnswer::new(),
            reject_announces: 0,
            reject_ready: 0,
            quiet_after: Duration::from_millis(1200),
            memory: crate::memory::DEFAULT,
            processes: 256,
            connections: 256,
            hosts: Vec::new(),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            kept_requests: 5000,
            kept_findings: 1000,
            check_times: true,
            check_sockets: true,
            check_secrets: true,
            root_exits: false,
            strangers: false,
        }
    }

    /// The address to listen on; port 0 takes a free one.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Allows an address that other machines reach; it needs a token too.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.allow_remote = allow;
        self
    }

    /// The bearer token that `/dev/…` demands. Empty is none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into()).filter(|token| !token.is_empty());
        self
    }

    /// The answer to announces.
    pub fn announce_answer(mut self, answer: AnnounceAnswer) -> Self {
        self.answer = answer;
        self
    }

    /// Answers the first announces with 404.
    pub fn reject_announces(mut self, times: u32) -> Self {
        self.reject_announces = times;
        self
    }

    /// Answers the first readiness checks after each announce with 404.
    pub fn reject_ready(mut self, times: u32) -> Self {
        self.reject_ready = times;
        self
    }

    /// A trace is finished when its root is there and no span came for this
    /// long. Default 1.2 s: the tracers send once a second.
    pub fn quiet_after(mut self, quiet: Duration) -> Self {
        self.quiet_after = quiet;
        self
    }

    /// Memory in bytes for all that came: spans, metrics, events, findings, the
    /// request log, notices, connections and their unfinished requests. What is
    /// oldest is dropped first and counted ([`crate::Dropped`]). Default 64 MiB,
    /// at least 4 MiB.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// How many processes are kept. Default 256; fewer where there is less than
    /// 256 KiB of memory for each.
    pub fn processes(mut self, limit: usize) -> Self {
        self.processes = limit.max(1);
        self
    }

    /// How many connections are served at once. For a new one, the one that was
    /// idle for longest is closed. Default 256; fewer where there is less than
    /// 256 KiB of memory for each.
    pub fn connections(mut self, limit: usize) -> Self {
        self.connections = limit.max(1);
        self
    }

    /// A name that tracers may call the agent by (`Host`), where it is one that a
    /// web page could have: any with a dot, but for those in `.internal`, `.local`
    /// and the like. Addresses, `localhost` and names without a dot need none.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into().to_ascii_lowercase());
        self
    }

    /// How long the head of a request may take. Default 10 s.
    pub fn head_timeout(mut self, timeout: Duration) -> Self {
        self.head_timeout = timeout;
        self
    }

    /// How long nothing may come from a connection whose request is unfinished.
    /// Default 30 s.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// How long a connection may be idle between two requests. Default 5 min.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// How many requests are kept in the log. Default 5000.
    pub fn kept_requests(mut self, limit: usize) -> Self {
        self.kept_requests = limit.max(1);
        self
    }

    /// How many violations, and how many notes, are kept; further ones are
    /// counted. Default 1000.
    pub fn kept_findings(mut self, limit: usize) -> Self {
        self.kept_findings = limit.max(1);
        self
    }

    /// Whether start times have to be within a day of now. Default yes.
    pub fn check_times(mut self, check: bool) -> Self {
        self.check_times = check;
        self
    }

    /// Whether `fd` and `inode` of announces are looked up (Linux). Default yes.
    pub fn check_sockets(mut self, check: bool) -> Self {
        self.check_sockets = check;
        self
    }

    /// Whether query parameters are checked for values that the answered
    /// secrets should have redacted. Default yes; a tracer with secrets of its
    /// own settings needs no.
    pub fn check_secrets(mut self, check: bool) -> Self {
        self.check_secrets = check;
        self
    }

    /// Whether exits may be without a parent. Default no.
    pub fn root_exits(mut self, allow: bool) -> Self {
        self.root_exits = allow;
        self
    }

    /// Whether pids that never announced themselves are processes from before
    /// the agent's start (answered 404) and no violation. Default no.
    pub fn strangers(mut self, allow: bool) -> Self {
        self.strangers = allow;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}
