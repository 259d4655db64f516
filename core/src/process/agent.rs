//! The agent thread, as the rest of the process sees it.

use std::sync::Arc;
use std::time::Duration;

use crate::base::log;
use crate::config::{Config, Sources};
use crate::pipeline::event::QueuedEvents;
use crate::pipeline::export::Exporter;
use crate::pipeline::host_agent::HostAgent;
use crate::pipeline::metrics::Metrics;
use crate::pipeline::signal::Signal;
use crate::pipeline::status::AgentState;
use crate::pipeline::transport::{self, Feed};
use crate::process::merge::Merge;
use crate::process::running;
use crate::process::wake;
use crate::record::segment::POOL;
use crate::secrets::Matcher;
use crate::trace::context::tracer::GLOBAL;

/// The agent thread, seen from the others.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) signal: Arc<Signal>,
    pub(super) state: Arc<AgentState>,
}

impl Agent {
    /// Sends what waits, and ends the agent thread.
    pub(super) fn stop(&self, deadline: Duration) {
        // With nothing to send, the agent thread may end when it likes.
        let waiting = running::waiting();
        let deadline = if waiting == 0 {
            Duration::ZERO
        } else {
            deadline
        };
        if !self.signal.shutdown(deadline) && waiting > 0 {
            log::warn(format_args!(
                "not all spans and events could be sent within {deadline:?}: {}",
                self.state.read()
            ));
        }
    }

    pub(super) fn new(config: &Config) -> Self {
        Self {
            signal: wake::signal(),
            state: Arc::new(AgentState::new(&config.plugin)),
        }
    }

    /// Starts the thread. It sends `problems` to the agent's log, too. `secrets` say
    /// what is hidden in the first announce.
    pub(super) fn start(
        &self,
        sources: &Arc<Sources>,
        config: &Config,
        secrets: Matcher,
        problems: &[String],
    ) -> std::io::Result<()> {
        let transport = Box::new(HostAgent::new(config, secrets, problems));
        let feed = Feed {
            spans: Box::new(Exporter::new(&POOL, &GLOBAL)),
            metrics: Box::new(Metrics::new(config)),
            events: Box::new(QueuedEvents::new()),
            settings: Box::new(Merge(sources.clone())),
        };
        let (signal, state) = (self.signal.clone(), self.state.clone());
        transport::spawn(transport, feed, signal, state).map(drop)
    }
}
