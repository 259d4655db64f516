//! `SpanRecord`: a span as the agent keeps it.

use std::sync::Arc;

use serde_json::Value;

use super::bounded::Weigh;
use crate::json::ALLOCATION;

/// Longer ids are cut; ids of the protocol are shorter.
const ID: usize = 128;

/// A span that the agent keeps: its text, and the values that queries over many spans
/// need.
#[derive(Clone, Debug)]
pub(crate) struct SpanRecord {
    text: Box<str>,
    /// In lower case, as the ids: Node.js sends them as they came.
    pub(super) trace: Arc<str>,
    pub(super) id: Box<str>,
    pub(super) parent: Option<Box<str>>,
    pub(super) kind: Option<u64>,
    pub(super) age: u64,
    /// A hash of trace and id.
    pub(super) key: u64,
    /// The number of the next span of the trace, 0 for none.
    pub(super) next: u64,
    plugin: Arc<str>,
    pid: Option<u64>,
    start_ms: u64,
    duration_ms: u64,
    is_log: bool,
    failed: bool,
}

impl SpanRecord {
    pub(crate) fn of(span: &Value, age: u64, plugin: &Arc<str>, pid: Option<u64>) -> Self {
        let text = |key: &str| span.get(key).and_then(Value::as_str).map(id);
        let number = |key: &str| span.get(key).and_then(Value::as_u64);
        Self {
            text: span.to_string().into_boxed_str(),
            trace: text("t").unwrap_or_default().into(),
            id: text("s").unwrap_or_default().into(),
            parent: text("p").map(String::into_boxed_str),
            kind: number("k"),
            age,
            key: 0,
            next: 0,
            plugin: Arc::clone(plugin),
            pid: pid.or_else(|| entity(span)),
            start_ms: number("ts").unwrap_or_default(),
            duration_ms: number("d").unwrap_or_default(),
            is_log: span.pointer("/data/log").is_some_and(Value::is_object),
            failed: number("ec").is_some_and(|errors| errors > 0),
        }
    }

    /// The span as it was sent.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The span as it was sent, as JSON.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The pid of the URL; of raw traces the one in `f.e`.
    pub(crate) fn pid(&self) -> Option<u64> {
        self.pid
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    pub(crate) fn kind(&self) -> Option<u64> {
        self.kind
    }

    pub(crate) fn start_ms(&self) -> u64 {
        self.start_ms
    }

    pub(crate) fn end_ms(&self) -> u64 {
        self.start_ms.saturating_add(self.duration_ms)
    }

    pub(crate) fn is_log(&self) -> bool {
        self.is_log
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed
    }

    /// `n`.
    pub(crate) fn name(&self) -> String {
        let value = self.value();
        let name = value.get("n").and_then(Value::as_str);
        name.unwrap_or_default().to_owned()
    }
}

impl Weigh for SpanRecord {
    fn weight(&self) -> usize {
        let parent = self.parent.as_ref().map_or(0, |id| ALLOCATION + id.len());
        2 * ALLOCATION + self.text.len() + self.id.len() + parent
    }
}

/// The process that a span says it is from.
pub(crate) fn entity(span: &Value) -> Option<u64> {
    let entity = span.pointer("/f/e")?;
    let pid = entity.as_u64();
    pid.or_else(|| entity.as_str()?.parse().ok())
}

/// An id as it is compared.
pub(crate) fn id(text: &str) -> String {
    let end = text.char_indices().nth(ID).map(|(at, _)| at);
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
    text.to_ascii_lowercase()
}
