//! `DevAgent`: a running agent, as tests and the binary use it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::config::Config;
use crate::fault::Fault;
use crate::map::ServiceMap;
use crate::protocol::AnnounceAnswer;
use crate::server::Server;
use crate::state::{Dropped, Notices, Process, Request, Shared, State, View};
use crate::trace::Trace;
use crate::validate::{Finding, Violations};

/// A running agent. It has its own thread, so every method may be called from
/// any thread, inside a runtime or not; dropping it ends the agent.
#[derive(Debug)]
#[must_use = "the agent ends when this is dropped"]
pub struct DevAgent {
    shared: Arc<Shared>,
    server: Server,
}

impl DevAgent {
    /// Starts an agent; it listens when this returns.
    ///
    /// # Errors
    /// The address cannot be used, or it reaches beyond this machine and
    /// [`Config::allow_remote`] or [`Config::token`] is missing.
    pub fn start(config: Config) -> Result<Self, StartError> {
        if !config.listen.ip().is_loopback() {
            if !config.allow_remote {
                return Err(StartError::Remote(config.listen));
            }
            if config.token.is_none() {
                return Err(StartError::NoToken(config.listen));
            }
        }
        let listen = config.listen;
        let shared = Arc::new(Shared::new(State::new(config)));
        let server = Server::start(Arc::clone(&shared), listen)
            .map_err(|error| StartError::Listen(listen, error))?;
        Ok(Self { shared, server })
    }

    /// The address, with the port that was taken.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    // Waiting.

    /// Waits until something holds; `ready` is called after every change.
    ///
    /// # Errors
    /// The wait timed out; the error lists what did arrive.
    pub fn wait_until<T>(
        &self,
        what: &str,
        timeout: Duration,
        mut ready: impl FnMut(View<'_>) -> Option<T>,
    ) -> Result<T, Timeout> {
        let late = |state: &State| Timeout {
            what: what.to_owned(),
            after: timeout,
            arrived: View::new(state).summary(),
        };
        self.shared
            .wait(timeout, |state| ready(View::new(state)), late)
    }

    /// Waits for spans and returns all that are kept.
    ///
    /// # Errors
    /// As [`Self::wait_until`].
    pub fn wait_for_spans(&self, count: usize, timeout: Duration) -> Result<Vec<Value>, Timeout> {
        self.wait_until(&format!("{count} spans"), timeout, |view| {
            (view.span_count() >= count).then(|| view.spans())
        })
    }

    /// Waits for metrics of a process (answered pid) and returns the kept ones.
    ///
    /// # Errors
    /// As [`Self::wait_until`].
    pub fn wait_for_metrics(
        &self,
        pid: u64,
        count: u64,
        timeout: Duration,
    ) -> Result<Vec<Arc<Value>>, Timeout> {
        self.wait_until(&format!("{count} metrics of {pid}"), timeout, |view| {
            let process = view.process(pid)?;
            (process.metric_count() >= count).then(|| process.metrics())
        })
    }

    /// Waits for a process that announced itself and is ready.
    ///
    /// # Errors
    /// As [`Self::wait_until`].
    pub fn wait_for_process(&self, timeout: Duration) -> Result<Process, Timeout> {
        self.wait_until("a ready process", timeout, |view| {
            view.processes()
                .into_iter()
                .find(|process| process.known() && process.ready())
        })
    }

    /// Waits for events, monitoring events included, and returns the kept ones.
    ///
    /// # Errors
    /// As [`Self::wait_until`].
    pub fn wait_for_events(&self, count: u64, timeout: Duration) -> Result<Vec<Value>, Timeout> {
        self.wait_until(&format!("{count} events"), timeout, |view| {
            (view.event_count() >= count).then(|| view.events())
        })
    }

    /// Waits for lines for the agent's log and returns the kept ones.
    ///
    /// # Errors
    /// As [`Self::wait_until`].
    pub fn wait_for_logs(&self, count: u64, timeout: Duration) -> Result<Vec<Value>, Timeout> {
        self.wait_until(&format!("{count} log lines"), timeout, |view| {
            (view.log_count() >= count).then(|| view.logs())
        })
    }

    // Queries.

    /// Reads several things at one moment.
    pub fn view<T>(&self, read: impl FnOnce(View<'_>) -> T) -> T {
        self.shared.read(|state| read(View::new(state)))
    }

    /// See [`View::spans`].
    #[must_use]
    pub fn spans(&self) -> Vec<Value> {
        self.view(|view| view.spans())
    }

    /// See [`View::traces`].
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        self.view(|view| view.traces())
    }

    /// See [`View::trace`].
    #[must_use]
    pub fn trace(&self, id: &str) -> Option<Trace> {
        self.view(|view| view.trace(id))
    }

    /// See [`View::processes`].
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        self.view(|view| view.processes())
    }

    /// See [`View::process`].
    #[must_use]
    pub fn process(&self, pid: u64) -> Option<Process> {
        self.view(|view| view.process(pid).cloned())
    }

    /// See [`View::violations`].
    #[must_use]
    pub fn violations(&self) -> Vec<Finding> {
        self.view(|view| view.violations())
    }

    /// See [`View::notes`].
    #[must_use]
    pub fn notes(&self) -> Vec<Finding> {
        self.view(|view| view.notes())
    }

    /// See [`View::requests`].
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.view(|view| view.requests())
    }

    /// See [`View::events`].
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.view(|view| view.events())
    }

    /// See [`View::logs`].
    #[must_use]
    pub fn logs(&self) -> Vec<Value> {
        self.view(|view| view.logs())
    }

    /// See [`View::service_map`].
    #[must_use]
    pub fn service_map(&self) -> ServiceMap {
        self.view(|view| view.service_map())
    }

    /// Whether no rule was violated, parent links included.
    ///
    /// # Errors
    /// The violations; their `Display` is a readable list.
    pub fn check(&self) -> Result<(), Violations> {
        self.shared.read(|state| {
            let (links, more) = state.links();
            let total = state.violations.total() + more;
            if total == 0 {
                return Ok(());
            }
            let mut list = state.violations.to_vec();
            list.extend(links);
            Err(Violations { list, total })
        })
    }

    /// For tests: as [`Self::check`], but panics with the list.
    ///
    /// # Panics
    /// A rule was violated.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion of tests, documented to panic")]
    pub fn assert_clean(&self) {
        if let Err(violations) = self.check() {
            panic!("{violations}");
        }
    }

    /// Notices of everything that happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> Notices {
        self.shared.change(State::subscribe)
    }

    /// Counts of the data that was dropped to stay within the memory.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.view(|view| view.dropped())
    }

    // Controls.

    /// Sets a fault and returns its number. The first one that matches a request counts.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.shared.change(|state| state.add_fault(fault))
    }

    /// Removes all faults and closes the connections that hang.
    pub fn clear_faults(&self) {
        self.shared.change(State::clear_faults);
        self.shared.unhang.send_modify(|count| *count += 1);
    }

    /// Changes the answer to announces from now on.
    pub fn set_announce_answer(&self, answer: AnnounceAnswer) {
        self.shared.change(|state| state.answer = answer);
    }

    /// Answers the next announces with 404.
    pub fn reject_announces(&self, times: u32) {
        self.shared.change(|state| state.reject_announces = times);
    }

    /// Answers the first readiness checks after each announce with 404.
    pub fn reject_ready(&self, times: u32) {
        self.shared.change(|state| state.reject_ready = times);
    }

    /// Queues an agent request `{action, messageId, args}` for a process; the answer to
    /// its next metrics carries it. `false` when the pid is unknown, or if too many are
    /// queued for it.
    pub fn queue_request(&self, pid: u64, request: Value) -> bool {
        self.shared
            .change(|state| state.queue_request(pid, request))
    }

    /// The agent restarts, as tracers see it: every pid is unknown (404) until it is
    /// announced again. Connections stay open; collected data stays.
    pub fn forget(&self) {
        self.shared.change(State::forget);
    }

    /// Drops all open connections.
    pub fn drop_connections(&self) {
        self.shared.hang_up.send_modify(|count| *count += 1);
    }

    /// Stops listening and drops all connections, until [`Self::restart`].
    pub fn stop(&self) {
        self.server.stop();
    }

    /// Listens again, on the same port, with all pids forgotten.
    ///
    /// # Errors
    /// Something else has taken the port.
    pub fn restart(&self) -> io::Result<()> {
        self.server.stop();
        self.forget();
        self.server.listen()
    }

    /// Drops the collected data, violations too. Processes stay known.
    pub fn clear(&self) {
        self.shared.change(State::clear);
    }
}

/// Why an agent did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on: the caller picks another one, or
    /// ends what uses it.
    Listen(SocketAddr, io::Error),
    /// The address reaches beyond this machine and has no token: the caller sets one.
    NoToken(SocketAddr),
    /// The address reaches beyond this machine: the caller allows that explicitly.
    Remote(SocketAddr),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(addr, error) if error.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "port {} is in use, perhaps by an Instana agent or another dev agent; choose another one or 0",
                addr.port()
            ),
            Self::Listen(addr, _) => write!(f, "cannot listen on {addr}"),
            Self::NoToken(addr) => write!(
                f,
                "{addr} can be reached from other machines, so a token is needed"
            ),
            Self::Remote(addr) => write!(
                f,
                "{addr} can be reached from other machines, which has to be allowed explicitly, with a token"
            ),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, error) => Some(error),
            _ => None,
        }
    }
}

/// A wait that timed out.
#[derive(Clone, Debug)]
pub struct Timeout {
    what: String,
    after: Duration,
    arrived: String,
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no {} within {:?}; arrived so far:\n{}",
            self.what, self.after, self.arrived
        )
    }
}

impl std::error::Error for Timeout {}
