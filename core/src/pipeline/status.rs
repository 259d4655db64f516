//! What the agent thread is doing, for `instana::status()`.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::base::text::printable;

/// The longest error text that is kept, in bytes.
const MAX_ERROR: usize = 256;
/// Different errors that are kept.
const MAX_ERRORS: usize = 8;

/// Where the life cycle is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// An agent was found; it does not know the process yet.
    Announcing,
    /// The agent takes spans at the raw-trace endpoint only; announcing goes on.
    RawTrace,
    /// Spans and metrics are sent.
    Ready,
    /// No agent was found yet.
    #[default]
    Searching,
    /// The agent thread has ended.
    Stopped,
    /// Announced; the agent is not ready yet.
    Waiting,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Announcing => "announcing to the agent",
            Self::RawTrace => "sending spans to the raw-trace endpoint, announcing",
            Self::Ready => "ready",
            Self::Searching => "searching for the agent",
            Self::Stopped => "stopped",
            Self::Waiting => "waiting for the agent to become ready",
        })
    }
}

/// A snapshot of the agent side.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentStatus {
    /// Where the life cycle is.
    pub phase: Phase,
    /// Since when.
    pub since: Instant,
    /// The agent's address, once one was found.
    pub address: Option<String>,
    /// The host's pid of this process, once announced.
    pub pid: Option<u64>,
    /// The host's id, once announced.
    pub agent_uuid: Option<String>,
    /// The plugin name in force.
    pub plugin: String,
    /// What went wrong, the last at the end: at most 8 different things.
    pub errors: Vec<AgentError>,
    /// Accepted announces.
    pub announces: u64,
    /// Requests sent to the agent, whatever came of them.
    pub requests: u64,
    /// Requests without an answer, or with an answer other than 2xx.
    pub failures: u64,
    /// Accepted metrics.
    pub metrics_sent: u64,
    /// Answers that say something else than they should.
    pub malformed_answers: u64,
    /// Panics on the agent thread.
    pub panics: u64,
}

impl AgentStatus {
    /// How long the phase has lasted.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

/// Something that went wrong between the tracer and the agent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentError {
    /// What, in words.
    pub text: String,
    /// What can be done about it.
    pub fix: &'static str,
    /// How often it happened.
    pub times: u64,
    /// When it happened last.
    pub last: Instant,
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.last.elapsed().as_secs();
        write!(
            f,
            "{} s ago, {} times: {}; {}",
            seconds, self.times, self.text, self.fix
        )
    }
}

impl fmt::Display for AgentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} for {} s as plugin {}",
            self.phase,
            self.elapsed().as_secs(),
            self.plugin
        )?;
        if let Some(address) = &self.address {
            write!(f, ", {address}")?;
        }
        if let Some(pid) = self.pid {
            write!(f, ", pid {pid}")?;
        }
        write!(
            f,
            "; {} metrics sent, {} of {} requests failed",
            self.metrics_sent, self.failures, self.requests
        )
    }
}

/// The status as it is shared: written by the agent thread, read by everybody.
#[derive(Debug)]
pub(crate) struct AgentState {
    status: Mutex<AgentStatus>,
}

impl AgentState {
    /// Searching, since now.
    pub(crate) fn new(plugin: &str) -> Self {
        let status = AgentStatus {
            phase: Phase::default(),
            since: Instant::now(),
            address: None,
            pid: None,
            agent_uuid: None,
            plugin: plugin.to_owned(),
            errors: Vec::new(),
            announces: 0,
            requests: 0,
            failures: 0,
            metrics_sent: 0,
            malformed_answers: 0,
            panics: 0,
        };
        Self {
            status: Mutex::new(status),
        }
    }

    /// The status now.
    pub(crate) fn read(&self) -> AgentStatus {
        self.status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the status; the closure must not block.
    pub(crate) fn update(&self, change: impl FnOnce(&mut AgentStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Enters a phase; `since` changes only with the phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.update(|status| {
            if status.phase != phase {
                status.phase = phase;
                status.since = Instant::now();
            }
        });
    }

    /// Keeps what went wrong, on one line and short, and what helps.
    pub(crate) fn error(&self, text: &str, fix: &'static str) {
        let mut error = AgentError {
            text: printable(text, MAX_ERROR),
            fix,
            times: 1,
            last: Instant::now(),
        };
        self.update(|status| {
            let errors = &mut status.errors;
            if let Some(known) = errors.iter().position(|known| known.text == error.text) {
                error.times = errors.remove(known).times.saturating_add(1);
            } else if errors.len() == MAX_ERRORS {
                errors.remove(0);
            }
            errors.push(error);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_the_start_of_the_phase() {
        let state = AgentState::new("rust");
        let start = state.read().since;
        state.enter(Phase::Searching);
        assert_eq!(state.read().since, start);
        state.enter(Phase::Ready);
        let status = state.read();
        assert!(status.since > start);
        assert_eq!(status.phase.to_string(), "ready");
    }

    #[test]
    fn errors_are_short_and_on_one_line() {
        let state = AgentState::new("rust");
        state.error(&format!("first\n{}", "x".repeat(1000)), "try");
        let error = state.read().errors.pop().unwrap();
        assert!(error.text.starts_with("first x"), "{error}");
        assert_eq!(error.text.len(), MAX_ERROR + 3);
    }

    #[test]
    fn errors_are_few_and_counted() {
        let state = AgentState::new("rust");
        for number in 0..20 {
            state.error(&format!("error {number}"), "fix it");
        }
        state.error("error 15", "fix it");
        state.error("error 15", "fix it");
        let errors = state.read().errors;
        let texts: Vec<_> = errors.iter().map(|error| error.text.as_str()).collect();
        let expected = [12, 13, 14, 16, 17, 18, 19, 15].map(|number| format!("error {number}"));
        assert_eq!(texts, expected);
        let last = errors.last().unwrap();
        assert_eq!(last.times, 3);
        assert_eq!(last.to_string(), "0 s ago, 3 times: error 15; fix it");
    }
}
