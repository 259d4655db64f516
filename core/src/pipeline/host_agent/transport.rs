//! The host agent as a transport.

use std::sync::Arc;

use crate::config::Config;
use crate::pipeline::host_agent::lifecycle::Intervals;
use crate::pipeline::host_agent::lookup;
use crate::pipeline::host_agent::session::{AgentConfig, Session};
use crate::pipeline::host_agent::worker::Worker;
use crate::pipeline::signal::Signal;
use crate::pipeline::status::AgentState;
use crate::pipeline::transport::{Feed, Transport};
use crate::secrets::Matcher;

/// Sends to the agent that runs on the host.
#[derive(Debug)]
pub(crate) struct HostAgent {
    config: AgentConfig,
    intervals: Intervals,
    secrets: Matcher,
    problems: Vec<String>,
}

impl HostAgent {
    /// `secrets` say what is hidden in the first announce; `problems` of the settings are for the
    /// agent's own log.
    pub(crate) fn new(config: &Config, secrets: Matcher, problems: &[String]) -> Self {
        Self {
            config: AgentConfig {
                host: config.agent_host.clone(),
                port: config.agent_port,
                plugin: config.plugin.clone(),
                timeout: config.agent_timeout,
                gateway: lookup::default_gateway,
            },
            intervals: Intervals {
                spans: config.transmission_delay,
                retry: config.retry_interval,
            },
            secrets,
            problems: problems.to_vec(),
        }
    }

    /// At this place, with the usual intervals.
    #[cfg(test)]
    pub(super) fn at(config: AgentConfig, problems: &[String]) -> Self {
        Self {
            config,
            intervals: Intervals::default(),
            secrets: Matcher::default(),
            problems: problems.to_vec(),
        }
    }
}

impl Transport for HostAgent {
    fn run(self: Box<Self>, feed: Feed, signal: &Arc<Signal>, state: &Arc<AgentState>) -> bool {
        let mut session = Session::new(self.config, self.secrets, state.clone());
        session.keep_problems(&self.problems);
        Worker::new(session, self.intervals, feed, signal, state).run()
    }
}
