//! `Notice`: an occurrence at the agent that subscribers get.

use serde_json::{Value, json};

use crate::json::{ALLOCATION, weight};
use crate::store::Weigh;
use crate::trace::Trace;
use crate::validate::Finding;

/// An occurrence that the agent reports at once: [`crate::DevAgent::subscribe`].
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
    /// This many notices were dropped before they were taken, because the agent's memory
    /// was full.
    Missed(u64),
    /// A process has a new name, from its snapshot.
    Named {
        /// Its answered pid.
        pid: u64,
        /// Its name.
        name: String,
    },
    /// A request of a web page, or for another host, was refused.
    Refused {
        /// The header that showed it.
        header: &'static str,
        /// Its value.
        value: String,
    },
    /// The agent forgot all processes.
    Restarted,
    /// A trace is finished: its first 1000 spans, as far as they fit into the
    /// agent's memory. When further spans arrive, it comes again with those,
    /// which are `late`, and the spans above them.
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
            Self::Missed(count) => json!({"notice": "missed", "count": count}),
            Self::Named { pid, name } => json!({"notice": "named", "pid": pid, "name": name}),
            Self::Refused { header, value } => {
                json!({"notice": "refused", "header": header, "value": value})
            }
            Self::Restarted => json!({"notice": "restarted"}),
            Self::Trace(trace) => tagged("trace", trace.to_json()),
            Self::Violation(finding) => tagged("violation", finding.to_json()),
        }
    }
}

impl Weigh for Notice {
    fn weight(&self) -> usize {
        match self {
            Self::Announced { plugin, name, .. } => plugin.weight() + name.weight(),
            Self::Event(event) => weight(event),
            Self::Named { name: text, .. } | Self::Refused { value: text, .. } => text.weight(),
            Self::Missed(_) | Self::Restarted => ALLOCATION,
            Self::Trace(trace) => trace.weight(),
            Self::Violation(finding) => finding.weight(),
        }
    }
}

fn tagged(notice: &str, mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.insert("notice".to_owned(), notice.into());
    }
    value
}
