//! `Process`: an announced process and its data.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::json::weight;
use crate::protocol::merge;
use crate::store::{Ageing, Bounded};

/// How many metrics bodies are kept of a process: ten minutes of them.
const METRICS: usize = 600;
/// How many answers to agent requests are kept of a process.
const RESPONSES: usize = 100;
/// A larger announce is not kept.
const ANNOUNCE: usize = 8 * 1024;
/// Metrics of which the sum is larger are not merged.
const AGGREGATE: usize = 1024 * 1024;
/// Longer names are cut.
const NAME: usize = 100;

/// The metrics of a tracer for Rust that say why spans were not recorded.
const LOST: [&str; 3] = ["entriesInside", "exitsOutside", "intermediatesOutside"];

/// A process that announced itself.
#[derive(Clone, Debug)]
pub struct Process {
    pub(crate) pid: u64,
    pub(crate) sent_pid: u64,
    pub(crate) plugin: Arc<str>,
    pub(crate) announce: Value,
    pub(crate) answer: Value,
    pub(crate) announces: u32,
    pub(crate) known: bool,
    pub(crate) ready: bool,
    pub(crate) ready_checks: u32,
    /// The next metrics must carry the snapshot.
    pub(crate) snapshot_due: bool,
    pub(crate) metrics_seen: bool,
    metrics: Bounded<Arc<str>>,
    pub(crate) metric_count: u64,
    aggregate: Held,
    snapshot: Held,
    pub(crate) snapshots: u64,
    /// The name in the newest snapshot that had one.
    named: Option<String>,
    pub(crate) span_count: u64,
    profiles: Bounded<Arc<str>>,
    pub(crate) queued: Vec<Value>,
    pub(crate) handed_out: Vec<String>,
    responses: Bounded<(String, Arc<str>)>,
    pub(crate) seen: u64,
}

/// A value of which only the newest is kept.
#[derive(Clone, Debug, Default)]
struct Held {
    age: u64,
    weight: usize,
    value: Arc<Value>,
}

impl Held {
    fn set(&mut self, age: u64, value: Value) {
        let weight = weight(&value);
        let value = Arc::new(value);
        *self = Self { age, weight, value };
    }

    fn oldest(&self) -> Option<u64> {
        (self.weight > 0).then_some(self.age)
    }
}

impl Process {
    pub(crate) fn new(pid: u64, plugin: &str) -> Self {
        Self {
            pid,
            sent_pid: pid,
            plugin: Arc::from(plugin),
            announce: Value::Null,
            answer: Value::Null,
            announces: 0,
            known: false,
            ready: false,
            ready_checks: 0,
            snapshot_due: false,
            metrics_seen: false,
            metrics: Bounded::new(METRICS),
            metric_count: 0,
            aggregate: Held::default(),
            snapshot: Held::default(),
            snapshots: 0,
            named: None,
            span_count: 0,
            profiles: Bounded::new(RESPONSES),
            queued: Vec::new(),
            handed_out: Vec::new(),
            responses: Bounded::new(RESPONSES),
            seen: 0,
        }
    }

    /// The pid of the announce answer: the one in URLs and in `f.e`.
    #[must_use]
    pub fn pid(&self) -> u64 {
        self.pid
    }

    /// The pid that the process announced.
    #[must_use]
    pub fn sent_pid(&self) -> u64 {
        self.sent_pid
    }

    /// The plugin name, for instance `rust`.
    #[must_use]
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The newest announce.
    #[must_use]
    pub fn announce(&self) -> &Value {
        &self.announce
    }

    /// How often the process announced itself.
    #[must_use]
    pub fn announces(&self) -> u32 {
        self.announces
    }

    /// Whether the agent knows the process, that is, did not forget it since
    /// its last announce.
    #[must_use]
    pub fn known(&self) -> bool {
        self.known
    }

    /// Whether a readiness check was answered 200 since the last announce.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.ready
    }

    /// The kept metrics bodies, oldest first (the newest 600).
    #[must_use]
    pub fn metrics(&self) -> Vec<Arc<Value>> {
        self.metrics.iter().map(|body| value(body).into()).collect()
    }

    /// How many metrics bodies arrived.
    #[must_use]
    pub fn metric_count(&self) -> u64 {
        self.metric_count
    }

    /// The newest snapshot: the `snapshot` member, or Node's full payload.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Value> {
        (self.snapshot.weight > 0).then_some(&*self.snapshot.value)
    }

    /// How many snapshots arrived.
    #[must_use]
    pub fn snapshots(&self) -> u64 {
        self.snapshots
    }

    /// All metrics bodies merged into one, for plugins that send differences;
    /// `null` before the first.
    #[must_use]
    pub fn aggregate(&self) -> &Value {
        &self.aggregate.value
    }

    /// How many spans arrived.
    #[must_use]
    pub fn span_count(&self) -> u64 {
        self.span_count
    }

    /// Spans that its tracer did not record, because of where they began: what its newest
    /// metrics say of entries inside of entries, and of calls outside of any.
    #[must_use]
    pub fn lost_spans(&self) -> u64 {
        let lost = self.aggregate.value.pointer("/metrics/spans");
        LOST.iter()
            .filter_map(|reason| lost?.get(reason)?.as_u64())
            .fold(0, u64::saturating_add)
    }

    /// The kept profiles, oldest first (the newest 100).
    #[must_use]
    pub fn profiles(&self) -> Vec<Arc<Value>> {
        let profiles = self.profiles.iter();
        profiles.map(|profile| value(profile).into()).collect()
    }

    /// Answers to agent requests, as (messageId, body), oldest first (the newest 100).
    #[must_use]
    pub fn responses(&self) -> Vec<(String, Value)> {
        let responses = self.responses.iter();
        responses
            .map(|(id, body)| (id.clone(), value(body)))
            .collect()
    }

    /// The name for people: the snapshot's, else the executable's, else the pid.
    #[must_use]
    pub fn name(&self) -> String {
        let executable = || {
            let path = self.announce.get("name")?.as_str()?;
            name(path.rsplit('/').next()?)
        };
        let named = self.named.clone().or_else(executable);
        named.unwrap_or_else(|| format!("pid {}", self.pid))
    }

    /// The process as JSON, without its metrics.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let responses = self.responses();
        let responses: Vec<_> = responses
            .iter()
            .map(|(id, body)| json!({"messageId": id, "body": body}))
            .collect();
        json!({
            "pid": self.pid, "sentPid": self.sent_pid, "plugin": &*self.plugin,
            "name": self.name(), "known": self.known, "ready": self.ready,
            "announces": self.announces, "announce": self.announce,
            "metrics": self.metric_count, "snapshots": self.snapshots,
            "snapshot": self.snapshot(), "spans": self.span_count,
            "lostSpans": self.lost_spans(),
            "profiles": self.profiles.len(), "responses": responses,
        })
    }

    /// A new announce: everything that an agent forgets starts over.
    pub(crate) fn announced(&mut self, announce: &Value, answer: Value) {
        let small = |value: &Value| weight(value) <= ANNOUNCE;
        self.announce = match announce.as_object() {
            Some(members) if !small(announce) => {
                let members = members.iter().filter(|(_, value)| weight(value) < 1024);
                let members = members.take(20);
                Value::from_iter(members.map(|(key, value)| (key.clone(), value.clone())))
            }
            _ => announce.clone(),
        };
        self.answer = if small(&answer) { answer } else { Value::Null };
        self.announces = self.announces.saturating_add(1);
        self.known = true;
        self.ready = false;
        self.ready_checks = 0;
        self.snapshot_due = true;
        self.metrics_seen = false;
    }

    /// Keeps a metrics body; the new name, if the process has another one now.
    pub(crate) fn add_metrics(&mut self, age: u64, body: &Value) -> Option<String> {
        let before = self.name();
        let mut merged = Value::clone(&self.aggregate.value);
        if self.aggregate.weight.saturating_add(weight(body)) <= AGGREGATE {
            merge(&mut merged, body.clone());
        }
        let text = |pointer: &str| merged.pointer(pointer).and_then(Value::as_str);
        let named = text("/snapshot/name").or_else(|| text("/name"));
        self.named = named.and_then(name).or_else(|| self.named.take());
        self.aggregate.set(age, merged);
        if crate::validate::metrics::has_snapshot(&self.plugin, body) {
            let snapshot = body.get("snapshot").unwrap_or(body);
            self.snapshot.set(age, snapshot.clone());
            self.snapshots += 1;
        }
        self.metrics.push(age, body.to_string().into());
        self.metric_count += 1;
        self.metrics_seen = true;
        Some(self.name()).filter(|name| *name != before)
    }

    pub(crate) fn add_response(&mut self, age: u64, id: &str, body: &Value) {
        self.responses
            .push(age, (id.to_owned(), body.to_string().into()));
    }

    pub(crate) fn add_profile(&mut self, age: u64, profile: &Value) {
        self.profiles.push(age, profile.to_string().into());
    }

    /// The kept metrics bodies as JSON, newest first.
    pub(crate) fn metric_texts(&self) -> impl Iterator<Item = &Arc<str>> {
        self.metrics.iter().rev()
    }

    pub(super) fn clear_data(&mut self) {
        self.metrics.clear();
        self.metric_count = 0;
        self.span_count = 0;
        self.profiles.clear();
        self.responses.clear();
    }

    /// Bodies that were dropped because of their bytes.
    pub(super) fn dropped(&self) -> u64 {
        self.metrics.dropped() + self.profiles.dropped() + self.responses.dropped()
    }
}

impl Ageing for Process {
    fn oldest(&self) -> Option<u64> {
        let lists = [
            self.metrics.oldest(),
            self.profiles.oldest(),
            self.responses.oldest(),
            self.aggregate.oldest(),
            self.snapshot.oldest(),
        ];
        lists.into_iter().flatten().min()
    }

    fn drop_oldest(&mut self) {
        let oldest = self.oldest();
        if self.metrics.oldest() == oldest {
            self.metrics.drop_oldest();
        } else if self.profiles.oldest() == oldest {
            self.profiles.drop_oldest();
        } else if self.responses.oldest() == oldest {
            self.responses.drop_oldest();
        } else if self.aggregate.oldest() == oldest {
            self.aggregate = Held::default();
        } else {
            self.snapshot = Held::default();
        }
    }

    fn bytes(&self) -> usize {
        let held = self.aggregate.weight + self.snapshot.weight;
        self.metrics.bytes() + self.profiles.bytes() + self.responses.bytes() + held
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// A name that is not empty, and short.
fn name(text: &str) -> Option<String> {
    let name: String = text.chars().take(NAME).collect();
    Some(name).filter(|name| !name.is_empty())
}
