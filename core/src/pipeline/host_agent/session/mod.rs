//! Methods for each request to the agent: they begin the request, count it, keep in
//! words what was wrong, and return what the life cycle has to know.

use std::collections::VecDeque;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::json;
use crate::base::log::Level;
use crate::pipeline::host_agent::announce::Announced;
use crate::pipeline::host_agent::delivery::{Delivery, Message};
use crate::pipeline::host_agent::lifecycle::{Change, Event};
use crate::pipeline::host_agent::log_once::{LogOnce, Topic};
use crate::pipeline::host_agent::log_texts::{Facts, fix, fix_for_lookup};
use crate::pipeline::host_agent::lookup;
use crate::pipeline::host_agent::paths::Paths;
use crate::pipeline::host_agent::search::Search;
use crate::pipeline::status::AgentState;
use crate::secrets::Matcher;

mod aside;
mod events;
mod main_requests;
mod outcome;
mod spans;

/// The longest request there is.
const LONGEST: Duration = Duration::from_secs(3600);

/// What the agent side needs to know from the configuration.
#[derive(Clone, Debug)]
pub(crate) struct AgentConfig {
    /// The agent's host.
    pub(crate) host: String,
    /// The agent's port, also at the gateway.
    pub(crate) port: u16,
    /// The name in the announce and in all URLs.
    pub(crate) plugin: String,
    /// The total deadline of one request, connect included.
    pub(crate) timeout: Duration,
    /// Where else to look: [`lookup::default_gateway`], outside of tests.
    pub(crate) gateway: fn() -> Option<Ipv4Addr>,
}

/// What is known about the agent, and the connection to it.
pub(crate) struct Session {
    config: AgentConfig,
    secrets: Matcher,
    paths: Paths,
    state: Arc<AgentState>,
    log: LogOnce,
    search: Search,
    /// Announces, checks and metrics, one after the other.
    main: Delivery,
    /// The `Server` of the agent's answer to the lookup.
    server: String,
    /// Spans.
    delivery: Delivery,
    /// Events.
    events: Delivery,
    /// What nobody waits for, and what of it has not begun.
    aside: Delivery,
    asides: VecDeque<Message>,
    announced: Announced,
    /// The announced pid as text.
    pid: String,
    /// The `f` of spans once the process is announced, and before.
    origin: String,
    own_origin: String,
    /// Words for the last failure.
    failure: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("config", &self.config)
            .field("main", &self.main)
            .field("announced", &self.announced)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session that has not looked for the agent yet. `secrets` say what is
    /// hidden in the first announce.
    pub(crate) fn new(config: AgentConfig, secrets: Matcher, state: Arc<AgentState>) -> Self {
        Self {
            paths: Paths::new(&config.plugin),
            config,
            secrets,
            state,
            log: LogOnce::default(),
            search: Search::default(),
            main: Delivery::default(),
            server: String::new(),
            delivery: Delivery::default(),
            events: Delivery::default(),
            aside: Delivery::default(),
            asides: VecDeque::new(),
            announced: Announced::default(),
            pid: String::new(),
            origin: String::new(),
            own_origin: origin(&std::process::id().to_string(), None),
            failure: String::new(),
        }
    }

    /// When a request that starts now has to be over, `until` at the latest.
    pub(crate) fn deadline(&self, until: Option<Instant>) -> Instant {
        let deadline = Instant::now() + self.config.timeout.min(LONGEST);
        until.map_or(deadline, |until| until.min(deadline))
    }

    /// What is secret in the arguments that the next announce tells.
    pub(crate) fn secrets(&mut self, secrets: Matcher) {
        self.secrets = secrets;
    }

    /// The last successful announce.
    pub(crate) fn announced(&self) -> &Announced {
        &self.announced
    }

    /// The `f` of spans.
    pub(crate) fn origin(&self, fallback: bool) -> &str {
        if fallback {
            &self.own_origin
        } else {
            &self.origin
        }
    }

    /// Forgets the request of an announce, a check or metrics, after something unforeseen.
    pub(crate) fn abandon_main(&mut self) {
        self.main.abandon();
        self.main.disconnect();
    }

    /// GET `/` at the configured host and at the default gateway.
    pub(crate) fn lookup(&mut self, until: Option<Instant>) -> Event {
        let hosts = lookup::candidates(&self.config.host, (self.config.gateway)());
        let timeout = self.config.timeout.min(LONGEST);
        let looked = self.search.look(&hosts, self.config.port, timeout, until);
        self.state.update(|status| {
            status.requests += looked.requests;
            status.failures += looked.failures;
            status.malformed_answers += looked.malformed;
        });
        let found = match looked.outcome {
            Ok(found) => found,
            Err(reasons) => {
                self.main.set_connection(None);
                let topic = if looked.is_awaited {
                    Topic::Awaited
                } else if looked.refused > 0 {
                    Topic::NoAgent
                } else {
                    Topic::Nobody
                };
                self.not_found(topic, &reasons);
                return Event::NotFound;
            }
        };
        let known = self.main.connection();
        let moved = known.is_some_and(|known| !known.is_like(&found.connection));
        let text = found.connection.address().to_string();
        self.state.update(|status| status.address = Some(text));
        for delivery in [&mut self.delivery, &mut self.events, &mut self.aside] {
            delivery.set_place(&found.connection);
        }
        self.main.set_connection(Some(found.connection));
        self.server = found.server;
        Event::Found { moved }
    }

    /// Keeps what is wrong with the settings for the agent's own log.
    pub(crate) fn keep_problems(&mut self, problems: &[String]) {
        if !problems.is_empty() {
            self.log.own_settings_ignored(problems);
        }
    }

    /// Keeps lines for the agent's own log.
    pub(crate) fn keep_lines(&mut self, lines: &[String]) {
        for line in lines {
            self.log.keep(Level::Warn, line);
        }
    }

    /// Once a second.
    pub(crate) fn tick(&mut self) {
        self.log.tick(Instant::now());
    }

    /// Logs what has changed.
    pub(crate) fn log_change(&mut self, change: Change) {
        let address = self.address();
        let facts = Facts {
            address: &address,
            plugin: &self.config.plugin,
            pid: self.announced.pid,
            failure: &self.failure,
        };
        self.log.changed(change, &facts);
    }

    /// Logs that the metrics of a fresh announce were refused.
    pub(crate) fn log_refused_metrics(&mut self) {
        self.log.metrics_refused(&self.failure);
    }

    /// Logs that the agent thread has survived a panic.
    pub(crate) fn log_panic(&mut self) {
        self.fail("a panic on the agent thread", fix::PANIC);
        self.log.panicked();
    }

    fn address(&self) -> String {
        let address = self.main.address();
        address.map_or_else(String::new, ToString::to_string)
    }

    /// Logs which of the agent's settings could not be used.
    pub(crate) fn log_problems(&mut self, problems: &[String]) {
        if !problems.is_empty() {
            self.malformed();
            self.log.settings_ignored(problems);
        }
    }

    fn keep(&mut self, announced: Announced) {
        self.pid = announced.pid.to_string();
        self.origin = origin(&self.pid, Some(&announced.agent_uuid));
        self.state.update(|status| {
            status.announces += 1;
            status.pid = Some(announced.pid);
            status.agent_uuid = Some(announced.agent_uuid.clone());
        });
        self.announced = announced;
    }

    fn not_found(&mut self, topic: Topic, reasons: &str) {
        self.state.error(reasons, fix_for_lookup(topic));
        reasons.clone_into(&mut self.failure);
        self.log.not_found(topic, reasons);
    }
}

/// The `f` of spans: the pid that the host knows the process by, and the host's id where
/// that is known.
fn origin(pid: &str, host: Option<&str>) -> String {
    let mut origin = Vec::new();
    json::object(&mut origin, |origin| {
        origin.text("e", pid);
        origin.text("h", host);
    });
    String::from_utf8(origin).unwrap_or_default()
}
