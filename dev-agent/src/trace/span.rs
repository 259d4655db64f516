//! `TraceSpan`: a span of a trace, with the values that are shown.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use super::describe;
use crate::store::{SpanRecord, id};

/// A span's kind, `k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanKind {
    /// A request that came in (1).
    Entry,
    /// A request that went out (2).
    Exit,
    /// Work inside the process (3), and spans without a kind.
    Intermediate,
}

impl SpanKind {
    pub(crate) fn of(kind: Option<u64>) -> Self {
        match kind {
            Some(1) => Self::Entry,
            Some(2) => Self::Exit,
            _ => Self::Intermediate,
        }
    }

    /// `entry`, `exit` or `intermediate`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::Intermediate => "intermediate",
        }
    }
}

impl fmt::Display for SpanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A span in a [`crate::Trace`], with the values that are most useful to people.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TraceSpan {
    /// `s`, in lower case as `parent`.
    pub id: String,
    /// `p`.
    pub parent: Option<String>,
    /// `n`, for instance `g.http`.
    pub name: String,
    /// `k`.
    pub kind: SpanKind,
    /// `data.service`, else the name of the process.
    pub service: String,
    /// The plugin that sent it.
    pub plugin: String,
    /// The pid of the process.
    pub pid: Option<u64>,
    /// What it does: method and template, statement, command, topic …
    pub label: String,
    /// The HTTP status, or empty.
    pub status: String,
    /// Where an exit goes, for instance `postgres db:5432`, or empty.
    pub target: String,
    /// `ts`, ms since 1970.
    pub start_ms: u64,
    /// `d`, ms.
    pub duration_ms: u64,
    /// `ec`.
    pub errors: u64,
    /// The error's text, where there is one.
    pub error: Option<String>,
    /// Whether it came after the trace had been shown.
    pub late: bool,
    /// The span as it was sent.
    pub value: Arc<Value>,
}

impl TraceSpan {
    pub(crate) fn of_record(record: &SpanRecord, service: String) -> Self {
        Self::read(
            record.value().into(),
            record.plugin(),
            record.pid(),
            service,
        )
    }

    pub(super) fn read(value: Arc<Value>, plugin: &str, pid: Option<u64>, service: String) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let number = |key: &str| value.get(key).and_then(Value::as_u64);
        let own = value.pointer("/data/service").and_then(Value::as_str);
        let description = describe(&value);
        Self {
            id: text("s").map(id).unwrap_or_default(),
            parent: text("p").map(id),
            name: text("n").unwrap_or_default().to_owned(),
            kind: SpanKind::of(number("k")),
            service: own.map_or(service, str::to_owned),
            plugin: plugin.to_owned(),
            pid,
            label: description.label,
            status: description.status,
            target: description.target,
            start_ms: number("ts").unwrap_or_default(),
            duration_ms: number("d").unwrap_or_default(),
            errors: number("ec").unwrap_or_default(),
            error: description.error,
            late: false,
            value,
        }
    }

    /// `lt`: the whole of a trace id of 128 bits.
    #[must_use]
    pub fn long_trace_id(&self) -> Option<&str> {
        self.value.get("lt").and_then(Value::as_str)
    }

    /// `sy`: whether the request came from a synthetic test.
    #[must_use]
    pub fn synthetic(&self) -> bool {
        self.value.get("sy") == Some(&Value::Bool(true))
    }

    /// `crtp` and `crid`: the page view that the trace belongs to.
    #[must_use]
    pub fn correlation(&self) -> Option<(&str, &str)> {
        let text = |key: &str| self.value.get(key).and_then(Value::as_str);
        Some((text("crtp").unwrap_or_default(), text("crid")?))
    }

    /// End, ms since 1970.
    #[must_use]
    pub fn end_ms(&self) -> u64 {
        self.start_ms.saturating_add(self.duration_ms)
    }

    /// How many calls the span stands for: `b.s`, else 1.
    #[must_use]
    pub fn calls(&self) -> u64 {
        let size = self.value.pointer("/b/s").and_then(Value::as_u64);
        size.filter(|size| *size > 0).unwrap_or(1)
    }

    /// The frames of `stack`, innermost first, each `{m, c, n}` as it was sent.
    #[must_use]
    pub fn stack(&self) -> &[Value] {
        let stack = self.value.get("stack").and_then(Value::as_array);
        stack.map_or(&[], Vec::as_slice)
    }

    /// The span as JSON: the most useful values, and the span as sent under `span`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id, "parent": self.parent, "name": self.name, "kind": self.kind.name(),
            "service": self.service, "plugin": self.plugin, "pid": self.pid,
            "label": self.label, "status": self.status, "target": self.target,
            "start_ms": self.start_ms, "duration_ms": self.duration_ms,
            "errors": self.errors, "error": self.error, "calls": self.calls(), "span": &*self.value,
        })
    }
}
