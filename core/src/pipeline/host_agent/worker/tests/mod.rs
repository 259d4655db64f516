//! The agent thread against agents that answer as a test wants.

mod agents;
mod deliveries;
mod ends;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::json;

use crate::config::Tree;
use crate::pipeline::event::{Outbox, QueuedEvents, event};
use crate::pipeline::host_agent::HostAgent;
use crate::pipeline::host_agent::schedule;
use crate::pipeline::host_agent::session::AgentConfig;
use crate::pipeline::host_agent::testing::{FakeAgent, Received, Reply, lines, ok, status};
use crate::pipeline::host_agent::worker::*;
use crate::pipeline::port::{Applied, Limits, MetricSource, Reason, SettingsSink, SpanSource};
use crate::pipeline::status::AgentStatus;
use crate::pipeline::transport;
use crate::policy::LiveSettings;
use crate::secrets::Matcher;

const LONG: Duration = Duration::from_secs(20);
const ANNOUNCE: &str = "PUT /com.instana.plugin.rust.discovery";
const READY: &str = "HEAD /com.instana.plugin.rust.4711";
const METRICS: &str = "POST /com.instana.plugin.rust.4711";
const TRACES: &str = "POST /com.instana.plugin.rust/traces.4711";
const EVENT: &str = "POST /com.instana.plugin.generic.event";
const LOGGER: &str = "POST /com.instana.agent.logger";
const RAW: &str = "POST /com.instana.plugin.generic.rawtrace";

/// Numbered spans; shared with the test, which looks at what became of them.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<SpanState>>);

#[derive(Default)]
struct SpanState {
    encoded: usize,
    waiting: VecDeque<usize>,
    in_flight: usize,
    acknowledged: usize,
    rejected: usize,
    /// How many of those in front were sent without an answer.
    doubtful: usize,
    maybe_twice: usize,
    reasons: Vec<Reason>,
    retried: usize,
    per_batch: Option<usize>,
    panics: usize,
    lies: bool,
}

impl Spans {
    fn new(count: usize) -> Self {
        let spans = Self::default();
        spans.add(count);
        spans
    }

    fn add(&self, count: usize) {
        self.lock().waiting.extend(0..count);
    }

    /// The state, also after a panic of this source.
    fn lock(&self) -> MutexGuard<'_, SpanState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanSource for Spans {
    fn encode(&mut self, origin: &str, limits: &Limits, body: &mut Vec<u8>) -> Encoded {
        assert!(body.is_empty());
        self.lock().encoded += 1;
        let mut state = self.lock();
        if state.panics > 0 {
            state.panics -= 1;
            panic!("a span that cannot be encoded");
        }
        // As if each span had 1,000 bytes.
        let is_second = state.doubtful > 0;
        let there = if is_second {
            state.doubtful
        } else {
            state.waiting.len()
        };
        let fitting = (limits.bytes / 1000).max(1);
        let count = there.min(fitting).min(state.per_batch.unwrap_or(999));
        if count == 0 {
            return Encoded::Nothing;
        }
        let batch: Vec<_> = state.waiting.iter().take(count).collect();
        let from: serde_json::Value = serde_json::from_str(origin).unwrap();
        let spans = json!({ "f": from, "spans": batch });
        body.extend_from_slice(spans.to_string().as_bytes());
        body.resize(body.len().max(count * 1000), b' ');
        state.in_flight = count;
        Encoded::Batch(Batch {
            spans: count,
            is_last: count == state.waiting.len(),
            is_second,
        })
    }

    fn acknowledge(&mut self, maybe_twice: bool) {
        let mut state = self.lock();
        let count = std::mem::take(&mut state.in_flight);
        state.waiting.drain(..count);
        state.doubtful = state.doubtful.saturating_sub(count);
        state.acknowledged += count;
        state.maybe_twice += if maybe_twice { count } else { 0 };
    }

    fn doubt(&mut self) {
        let mut state = self.lock();
        state.doubtful = std::mem::take(&mut state.in_flight);
    }

    fn retry(&mut self) {
        let mut state = self.lock();
        state.in_flight = 0;
        state.retried += 1;
    }

    fn give_up(&mut self, reason: Reason) {
        let mut state = self.lock();
        let count = state.waiting.len().min(state.in_flight.max(1));
        state.waiting.drain(..count);
        state.doubtful = state.doubtful.saturating_sub(count);
        state.in_flight = 0;
        state.rejected += count;
        state.reasons.push(reason);
    }

    fn pending(&self) -> bool {
        let state = self.lock();
        state.lies || !state.waiting.is_empty()
    }

    fn tick(&mut self) {}
}

#[derive(Default)]
struct Metrics {
    panics: Arc<AtomicBool>,
}

impl MetricSource for Metrics {
    fn encode(&mut self, snapshot: bool, body: &mut Vec<u8>) {
        assert!(!self.panics.load(Ordering::Relaxed), "broken metrics");
        body.extend_from_slice(format!("\"snapshot\":{snapshot}").as_bytes());
    }
}

struct Settings(mpsc::Sender<Tree>);

impl SettingsSink for Settings {
    fn apply(&self, answer: &Tree) -> Applied {
        drop(self.0.send(answer.clone()));
        Applied {
            metrics_interval: Duration::from_secs(1),
            secrets: Matcher::default(),
            problems: Vec::new(),
        }
    }
}

/// A running worker.
struct Running {
    outbox: &'static Outbox,
    signal: Arc<Signal>,
    state: Arc<AgentState>,
    spans: Spans,
    settings: mpsc::Receiver<Tree>,
    broken_metrics: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(port: u16, spans: &Spans) -> Self {
        Self::looking_at("127.0.0.1", || None, port, spans)
    }

    fn looking_at(host: &str, gateway: fn() -> Option<Ipv4Addr>, port: u16, spans: &Spans) -> Self {
        Self::with_problems(&[], host, gateway, port, spans)
    }

    fn with_timeout(timeout: Duration, port: u16, spans: &Spans) -> Self {
        let config = AgentConfig {
            timeout,
            ..config("127.0.0.1", || None, port)
        };
        Self::with(config, &[], spans)
    }

    fn with_problems(
        problems: &[String],
        host: &str,
        gateway: fn() -> Option<Ipv4Addr>,
        port: u16,
        spans: &Spans,
    ) -> Self {
        Self::with(config(host, gateway, port), problems, spans)
    }

    fn with(config: AgentConfig, problems: &[String], spans: &Spans) -> Self {
        let state = Arc::new(AgentState::new("rust"));
        let signal = Arc::new(Signal::default());
        let (tell, settings) = mpsc::channel();
        let metrics = Metrics::default();
        let broken_metrics = Arc::clone(&metrics.panics);
        let outbox: &'static Outbox = Box::leak(Box::new(Outbox::new()));
        outbox.open(|| ());
        let live = Box::leak(Box::new(LiveSettings::off()));
        let feed = Feed {
            spans: Box::new(spans.clone()),
            metrics: Box::new(metrics),
            events: Box::new(QueuedEvents::of(outbox, live)),
            settings: Box::new(Settings(tell)),
        };
        let agent = Box::new(HostAgent::at(config, problems));
        let thread = transport::spawn(agent, feed, Arc::clone(&signal), Arc::clone(&state));
        Self {
            outbox,
            signal,
            state,
            spans: spans.clone(),
            settings,
            broken_metrics,
            thread: Some(thread.unwrap()),
        }
    }

    fn status(&self) -> AgentStatus {
        self.state.read()
    }

    fn shutdown(mut self) -> (bool, AgentStatus) {
        let delivered = self.signal.shutdown(LONG);
        self.thread.take().unwrap().join().unwrap();
        (delivered, self.status())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.signal.shutdown(Duration::ZERO);
    }
}

fn config(host: &str, gateway: fn() -> Option<Ipv4Addr>, port: u16) -> AgentConfig {
    AgentConfig {
        host: host.to_owned(),
        port,
        plugin: "rust".to_owned(),
        timeout: Duration::from_secs(5),
        gateway,
    }
}

/// An agent that does everything right.
fn good(request: &Received) -> Reply {
    match request.line().as_str() {
        "GET /" => ok(r#"{"version":"1.1.999"}"#),
        ANNOUNCE => ok(r#"{"pid":4711,"agentUuid":"uuid","extraHeaders":["X-Tenant"]}"#),
        METRICS => ok("[]"),
        _ => status(200),
    }
}

fn count(log: &[Received], line: &str) -> usize {
    log.iter().filter(|request| request.line() == line).count()
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
