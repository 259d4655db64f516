use serde_json::{Value, json};

use crate::trace::Trace;
use crate::validate::Finding;

/// What the agent tells as it happens: [`crate::DevAgent::subscribe`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// A process announced itself.
    Announced {
        /// Its answered pid.
        pid: u64,
        /// Its plugin.
        plugin: String,
        /// Its executable.
        name: String,
        /// Whether it had announced itself before.
        again: bool,
    },
    /// An event or monitoring event.
    Event(Value),
    /// The agent forgot all processes.
    Restarted,
    /// A trace is finished; it comes again when further spans arrive.
    Trace(Trace),
    /// A rule was violated.
    Violation(Finding),
}

impl Notice {
    /// The notice as JSON, with its kind under `notice`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Announced {
                pid,
                plugin,
                name,
                again,
            } => {
                json!({"notice": "announced", "pid": pid, "plugin": plugin, "name": name, "again": again})
            }
            Self::Event(event) => json!({"notice": "event", "event": event}),
            Self::Restarted => json!({"notice": "restarted"}),
            Self::Trace(trace) => tagged("trace", trace.to_json()),
            Self::Violation(finding) => tagged("violation", finding.to_json()),
        }
    }
}

fn tagged(notice: &str, mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.insert("notice".to_owned(), notice.into());
    }
    value
}
