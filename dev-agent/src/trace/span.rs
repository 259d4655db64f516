use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

/// A span's kind, `k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanKind {
    /// A request that came in (1).
    Entry,
    /// A request that went out (2).
    Exit,
    /// Work inside the process (3), and whatever has no kind.
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

/// A span in a [`crate::Trace`], with what people look at first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TraceSpan {
    /// `s`.
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
    /// The span as it was sent.
    pub value: Arc<Value>,
}

impl TraceSpan {
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

    /// The span as JSON: what people look at, and the span as sent under `span`.
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
