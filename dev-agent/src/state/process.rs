use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::protocol::merge;

/// How many metrics bodies are kept of a process: ten minutes of them.
const METRICS: usize = 600;
/// How many answers to agent requests are kept of a process.
const RESPONSES: usize = 100;

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
    pub(crate) metrics: VecDeque<Arc<Value>>,
    pub(crate) metric_count: u64,
    pub(crate) aggregate: Value,
    pub(crate) snapshot: Option<Arc<Value>>,
    pub(crate) snapshots: u64,
    pub(crate) span_count: u64,
    pub(crate) profiles: VecDeque<Arc<Value>>,
    pub(crate) queued: Vec<Value>,
    pub(crate) handed_out: Vec<String>,
    pub(crate) responses: VecDeque<(String, Value)>,
    pub(crate) seen: u64,
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
            metrics: VecDeque::new(),
            metric_count: 0,
            aggregate: json!({}),
            snapshot: None,
            snapshots: 0,
            span_count: 0,
            profiles: VecDeque::new(),
            queued: Vec::new(),
            handed_out: Vec::new(),
            responses: VecDeque::new(),
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
        self.metrics.iter().cloned().collect()
    }

    /// How many metrics bodies arrived.
    #[must_use]
    pub fn metric_count(&self) -> u64 {
        self.metric_count
    }

    /// The newest snapshot: the `snapshot` member, or Node's full payload.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Value> {
        self.snapshot.as_deref()
    }

    /// How many snapshots arrived.
    #[must_use]
    pub fn snapshots(&self) -> u64 {
        self.snapshots
    }

    /// All metrics bodies merged into one, for plugins that send differences.
    #[must_use]
    pub fn aggregate(&self) -> &Value {
        &self.aggregate
    }

    /// How many spans arrived.
    #[must_use]
    pub fn span_count(&self) -> u64 {
        self.span_count
    }

    /// The kept profiles, oldest first (the newest 100).
    #[must_use]
    pub fn profiles(&self) -> Vec<Arc<Value>> {
        self.profiles.iter().cloned().collect()
    }

    /// Answers to agent requests, as (messageId, body), oldest first (the newest 100).
    #[must_use]
    pub fn responses(&self) -> Vec<(String, Value)> {
        self.responses.iter().cloned().collect()
    }

    /// The name for people: the snapshot's, else the executable's, else the pid.
    #[must_use]
    pub fn name(&self) -> String {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let executable = || {
            let path = text(self.announce.get("name"))?;
            path.rsplit('/').next().map(str::to_owned)
        };
        text(self.aggregate.pointer("/snapshot/name"))
            .or_else(|| text(self.aggregate.get("name")))
            .or_else(executable)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| format!("pid {}", self.pid))
    }

    /// The process as JSON, without its metrics.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let responses: Vec<_> = self
            .responses
            .iter()
            .map(|(id, body)| json!({"messageId": id, "body": body}))
            .collect();
        json!({
            "pid": self.pid, "sentPid": self.sent_pid, "plugin": &*self.plugin,
            "name": self.name(), "known": self.known, "ready": self.ready,
            "announces": self.announces, "announce": self.announce,
            "metrics": self.metric_count, "snapshots": self.snapshots,
            "snapshot": self.snapshot(), "spans": self.span_count,
            "profiles": self.profiles.len(), "responses": responses,
        })
    }

    /// A new announce: everything that an agent forgets starts over.
    pub(crate) fn announced(&mut self) {
        self.announces += 1;
        self.known = true;
        self.ready = false;
        self.ready_checks = 0;
        self.snapshot_due = true;
        self.metrics_seen = false;
    }

    pub(crate) fn add_metrics(&mut self, body: Value) {
        merge(&mut self.aggregate, body.clone());
        if crate::validate::metrics::has_snapshot(&self.plugin, &body) {
            let snapshot = body.get("snapshot").unwrap_or(&body);
            self.snapshot = Some(Arc::new(snapshot.clone()));
            self.snapshots += 1;
        }
        push(&mut self.metrics, Arc::new(body), METRICS);
        self.metric_count += 1;
        self.metrics_seen = true;
    }

    pub(crate) fn add_response(&mut self, id: String, body: Value) {
        push(&mut self.responses, (id, body), RESPONSES);
    }

    pub(crate) fn add_profile(&mut self, profile: Value) {
        push(&mut self.profiles, Arc::new(profile), RESPONSES);
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T, limit: usize) {
    if list.len() == limit {
        list.pop_front();
    }
    list.push_back(item);
}
