//! The way out: what a transport is, and what it takes along.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::base::threads;
use crate::pipeline::port::{EventSource, MetricSource, SettingsSink, SpanSource};
use crate::pipeline::signal::Signal;
use crate::pipeline::status::{AgentState, Phase};

/// Everything that leaves the process, and who hears of what comes back. It is the same
/// for every transport, and knows none of them.
pub(crate) struct Feed {
    pub(crate) spans: Box<dyn SpanSource>,
    pub(crate) metrics: Box<dyn MetricSource>,
    pub(crate) events: Box<dyn EventSource>,
    pub(crate) settings: Box<dyn SettingsSink>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

/// Sends a [`Feed`] to Instana: by the host agent, or otherwise.
pub(crate) trait Transport: Send {
    /// Sends what the feed has until `signal` says that the tracer stops; true where
    /// nothing was left to send. What it does meanwhile is in `state`.
    fn run(self: Box<Self>, feed: Feed, signal: &Arc<Signal>, state: &Arc<AgentState>) -> bool;
}

/// Starts the thread of a transport.
pub(crate) fn spawn(
    transport: Box<dyn Transport>,
    feed: Feed,
    signal: Arc<Signal>,
    state: Arc<AgentState>,
) -> io::Result<JoinHandle<()>> {
    threads::spawn("instana-agent", move || {
        let mut end = End {
            signal: Arc::clone(&signal),
            state: Arc::clone(&state),
            nothing_left: false,
        };
        end.nothing_left = transport.run(feed, &signal, &state);
    })
}

/// Releases waiting callers when the thread ends, also by a panic.
struct End {
    signal: Arc<Signal>,
    state: Arc<AgentState>,
    nothing_left: bool,
}

impl Drop for End {
    fn drop(&mut self) {
        self.state.enter(Phase::Stopped);
        self.signal.stop(self.nothing_left);
    }
}

#[cfg(test)]
mod tests;
