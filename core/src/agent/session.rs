//! One exchange with the agent each: makes the request, counts it, says what
//! was wrong in words, and returns what the life cycle has to know.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::agent::announce::{self, Announced};
use crate::agent::connection::Connection;
use crate::agent::delivery::Delivery;
use crate::agent::http::{Method, Request};
use crate::agent::identity::Process;
use crate::agent::lifecycle::{Change, Event, Failure};
use crate::agent::lookup;
use crate::agent::paths::{self, Paths};
use crate::agent::requests;
use crate::agent::search::Search;
use crate::agent::status::AgentState;
use crate::agent::voice::{Scene, Topic, Voice};
use crate::event::Courier;
use crate::log::{self, Level};
use crate::secrets::Matcher;

mod judge;
mod spans;

/// The longest request there is.
const LONGEST: Duration = Duration::from_secs(3600);
/// How long a line for the agent's log may take.
const LOG_TIMEOUT: Duration = Duration::from_secs(1);

/// What can be done about what goes wrong.
mod fix {
    pub(super) const FOREIGN: &str = "something else answers in the agent's place: check proxies \
                                      between, INSTANA_AGENT_HOST and INSTANA_AGENT_PORT";
    pub(super) const LARGE: &str = "raise the body limit of the agent or of a proxy between";
    pub(super) const MALFORMED: &str =
        "check that no proxy changes the agent's answers, and update the agent";
    pub(super) const NOBODY: &str =
        "start the agent or set INSTANA_AGENT_HOST and INSTANA_AGENT_PORT";
    pub(super) const NO_AGENT: &str =
        "set INSTANA_AGENT_HOST and INSTANA_AGENT_PORT to where the agent listens";
    pub(super) const PANIC: &str = "please report this with the log";
    pub(super) const REFUSED: &str = "the agent's log says why; update the agent";
    pub(super) const UNANSWERED: &str = "check that the agent runs and can be reached; where it is \
                                         slow, raise INSTANA_AGENT_REQUEST_TIMEOUT";
    pub(super) const UNKNOWN: &str = "normal for some seconds; later: the agent does not see the \
                                      process (in a container: host pid namespace), or does not \
                                      know the plugin (INSTANA_PLUGIN_NAME=golang)";
}

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

/// The `f` of every span: the process the agent side speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// `f.e`: the host's pid of this process, or our own before the announce.
    pub(crate) pid: &'a str,
    /// `f.h`: the host's id; left out where it is not known.
    pub(crate) host: Option<&'a str>,
}

/// What is known about the agent, and the connection to it.
pub(crate) struct Session {
    config: AgentConfig,
    secrets: Matcher,
    paths: Paths,
    courier: Courier,
    state: Arc<AgentState>,
    voice: Voice,
    search: Search,
    connection: Option<Connection>,
    /// The `Server` of the agent's answer to the lookup.
    server: String,
    delivery: Delivery,
    announced: Announced,
    /// The announced pid as text, and the one in our announce.
    pid: String,
    own_pid: String,
    /// Words for the last failure.
    trouble: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("config", &self.config)
            .field("connection", &self.connection)
            .field("announced", &self.announced)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session that has not looked for the agent yet. `secrets` are those of the
    /// first announce.
    pub(crate) fn new(
        config: AgentConfig,
        secrets: Matcher,
        courier: Courier,
        state: Arc<AgentState>,
    ) -> Self {
        Self {
            paths: Paths::new(&config.plugin),
            config,
            secrets,
            courier,
            state,
            voice: Voice::default(),
            search: Search::default(),
            connection: None,
            server: String::new(),
            delivery: Delivery::default(),
            announced: Announced::default(),
            pid: String::new(),
            own_pid: std::process::id().to_string(),
            trouble: String::new(),
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

    /// What stands in the `f` of spans.
    pub(crate) fn origin(&self, fallback: bool) -> Origin<'_> {
        if fallback {
            return Origin {
                pid: &self.own_pid,
                host: None,
            };
        }
        Origin {
            pid: &self.pid,
            host: Some(&self.announced.agent_uuid),
        }
    }

    /// Closes the connection, after something unforeseen.
    pub(crate) fn disconnect(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.disconnect();
        }
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
                self.connection = None;
                let topic = if looked.refused > 0 {
                    Topic::NoAgent
                } else {
                    Topic::Nobody
                };
                self.not_found(topic, &reasons);
                return Event::NotFound;
            }
        };
        let moved = self
            .connection
            .as_ref()
            .is_some_and(|known| !known.is_like(&found.connection));
        let text = found.connection.address().to_string();
        self.state.update(|status| status.address = Some(text));
        self.delivery.set_place(&found.connection);
        self.connection = Some(found.connection);
        self.server = found.server;
        Event::Found { moved }
    }

    /// PUT: the announce, on a connection of its own whose socket it names.
    pub(crate) fn announce(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        let process = Process::read(&self.secrets);
        self.own_pid = process.pid.to_string();
        let deadline = self.deadline(until);
        let connection = self.connection.as_mut();
        let socket = connection.and_then(|connection| connection.identity(deadline));
        let body = announce::body(&process, socket.as_ref());
        let path = self.paths.announce();
        let answer = match self.exchange(&Request::json(Method::Put, &path, &body), deadline) {
            Ok(answer) => answer,
            Err(failure) => {
                self.announce_failed(failure);
                return Err(failure);
            }
        };
        match announce::parse(&answer.body) {
            Ok(announced) => {
                self.keep(announced);
                Ok(())
            }
            Err(unusable) => {
                self.malformed();
                self.fail(&format!("PUT {path}: {unusable}"), fix::MALFORMED);
                let text = format_args!("the announce is repeated: {}", self.trouble);
                self.voice.say(Level::Warn, Topic::Malformed, text);
                Err(Failure::Malformed)
            }
        }
    }

    /// HEAD: is the agent ready for this process?
    pub(crate) fn readiness(&mut self, until: Option<Instant>) -> Event {
        let path = self.paths.entity(&self.pid);
        let request = Request::bare(Method::Head, &path);
        match self.exchange(&request, self.deadline(until)) {
            Ok(_) => Event::Readiness(true),
            Err(Failure::Foreign | Failure::Transport) => Event::ReadinessFailed,
            Err(_) => Event::Readiness(false),
        }
    }

    /// POST: metrics; then refuses what the agent asked for in its answer.
    pub(crate) fn metrics(&mut self, body: &[u8], snapshot: bool, until: Option<Instant>) -> Event {
        let path = self.paths.entity(&self.pid);
        let request = Request::json(Method::Post, &path, body);
        let Ok(answer) = self.exchange(&request, self.deadline(until)) else {
            return Event::MetricsFailed;
        };
        self.state.update(|status| status.metrics_sent += 1);
        match requests::parse(&answer.body) {
            Some(requests) => {
                let deadline = self.deadline(until);
                for request in requests {
                    let path = self.paths.response(&self.pid, &request.message_id);
                    let body = request.refusal();
                    let reply = Request::json(Method::Post, &path, &body);
                    if self.exchange(&reply, deadline) == Err(Failure::Transport) {
                        break;
                    }
                }
            }
            None => {
                self.malformed();
                self.fail(
                    &format!("POST {path}: the answer is not a JSON array"),
                    fix::MALFORMED,
                );
                let text = format_args!("requests of the agent are ignored: {}", self.trouble);
                self.voice.say(Level::Info, Topic::Malformed, text);
            }
        }
        Event::MetricsAccepted { snapshot }
    }

    /// Whether an event waits.
    pub(crate) fn has_event(&self) -> bool {
        self.courier.pending()
    }

    /// A flush begins.
    pub(crate) fn begin_flush(&mut self) {
        self.courier.begin_flush();
    }

    /// Whether the events before the flush are done with.
    pub(crate) fn events_are_flushed(&self) -> bool {
        self.courier.is_flushed()
    }

    /// POST: the oldest event.
    pub(crate) fn send_event(&mut self, until: Option<Instant>) -> Event {
        let Some(body) = self.courier.encode() else {
            return Event::Delivered;
        };
        let request = Request::json(Method::Post, paths::EVENT, &body);
        match self.exchange(&request, self.deadline(until)) {
            Ok(_) => {
                self.courier.acknowledge();
                Event::Delivered
            }
            Err(failure) => Event::NotDelivered(failure),
        }
    }

    /// The event sent last is never going to be accepted.
    pub(crate) fn reject_event(&self) {
        self.courier.reject();
    }

    /// Keeps what is wrong with the settings for the agent's own log.
    pub(crate) fn keep_problems(&mut self, problems: &[String]) {
        if !problems.is_empty() {
            let text = format!("a part of the settings is ignored: {}", problems.join("; "));
            self.voice.keep(Level::Warn, &text);
        }
    }

    /// Once a second.
    pub(crate) fn tick(&mut self) {
        self.voice.tick(Instant::now());
    }

    /// POST: a line for the agent's own log, if one waits. Failures are ignored.
    pub(crate) fn log_line(&mut self, now: Duration) {
        for line in log::told() {
            self.voice.keep(Level::Warn, &line);
        }
        let Some(connection) = &mut self.connection else {
            return;
        };
        let Some(line) = self.voice.line(now) else {
            return;
        };
        let text = self.courier.redacted(&line.text);
        let body = json!({ "m": text }).to_string();
        let level = line.level.to_string();
        let mut request = Request::json(Method::Post, paths::LOGGER, body.as_bytes());
        request.header = Some(("x-log-level", &level));
        let deadline = Instant::now() + LOG_TIMEOUT.min(self.config.timeout);
        drop(connection.send(&request, deadline));
        self.state.update(|status| status.requests += 1);
    }

    /// Says what has changed.
    pub(crate) fn tell(&mut self, change: Change) {
        let address = self.address();
        let scene = Scene {
            address: &address,
            plugin: &self.config.plugin,
            pid: self.announced.pid,
            trouble: &self.trouble,
        };
        self.voice.change(change, &scene);
    }

    /// Says that the metrics of a fresh announce were refused.
    pub(crate) fn tell_metrics_refused(&mut self) {
        let text = format_args!("announcing again, metrics were refused: {}", self.trouble);
        self.voice.say(Level::Warn, Topic::MetricsRefused, text);
    }

    /// Says that the agent thread has survived a panic.
    pub(crate) fn tell_panic(&mut self) {
        self.fail("a panic on the agent thread", fix::PANIC);
        let text = format_args!("the agent thread panicked and goes on: please report this");
        self.voice.say(Level::Error, Topic::Panic, text);
    }

    fn address(&self) -> String {
        self.connection
            .as_ref()
            .map_or_else(String::new, |connection| connection.address().to_string())
    }

    /// Says which of the agent's settings could not be used.
    pub(crate) fn tell_settings(&mut self, problems: &[String]) {
        if !problems.is_empty() {
            self.malformed();
            let problems = problems.join("; ");
            let text = format_args!("a part of the agent's settings is ignored: {problems}");
            self.voice.say(Level::Warn, Topic::Settings, text);
        }
    }

    fn keep(&mut self, announced: Announced) {
        self.pid = announced.pid.to_string();
        self.state.update(|status| {
            status.announces += 1;
            status.pid = Some(announced.pid);
            status.agent_uuid = Some(announced.agent_uuid.clone());
        });
        self.announced = announced;
    }

    fn announce_failed(&mut self, failure: Failure) {
        let trouble = &self.trouble;
        let (level, topic) = match failure {
            // Normal while the agent is still discovering the process.
            Failure::Status(404) => (Level::Info, Topic::AnnounceNotFound),
            Failure::Broken | Failure::Cut | Failure::Transport | Failure::Unanswered => {
                (Level::Warn, Topic::AnnounceUnanswered)
            }
            Failure::Foreign | Failure::Malformed | Failure::Status(_) | Failure::TooLarge => {
                (Level::Warn, Topic::AnnounceRefused)
            }
        };
        let text = format_args!("the announce is repeated: {trouble}");
        self.voice.say(level, topic, text);
    }

    fn not_found(&mut self, topic: Topic, reasons: &str) {
        let fix = match topic {
            Topic::NoAgent => fix::NO_AGENT,
            _ => fix::NOBODY,
        };
        self.state.error(reasons, fix);
        reasons.clone_into(&mut self.trouble);
        let text = format_args!(
            "no agent found ({reasons}); searching goes on, spans are kept within their bound; \
             {fix}"
        );
        self.voice.say(Level::Warn, topic, text);
    }
}
