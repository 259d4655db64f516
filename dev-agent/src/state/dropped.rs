//! `Dropped`: counts of the data that was dropped to stay within the memory.

use std::fmt;

use serde_json::Value;

/// Counts of the data that an agent dropped to stay within its memory
/// ([`crate::Config::memory`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Spans.
    pub spans: u64,
    /// Events, log lines and tracer metrics.
    pub events: u64,
    /// Metrics bodies, profiles and answers to agent requests.
    pub process_bodies: u64,
    /// Entries of the request log.
    pub requests: u64,
    /// Violations and notes; they still count.
    pub findings: u64,
    /// Notices that subscribers did not take in time.
    pub notices: u64,
    /// Unfinished bodies, whose connections were closed.
    pub bodies: u64,
    /// Single items that were too large to be read.
    pub too_large: u64,
}

impl Dropped {
    fn parts(self) -> [(&'static str, &'static str, u64); 8] {
        [
            ("spans", "spans", self.spans),
            ("events", "events and log lines", self.events),
            (
                "process_bodies",
                "metrics and profiles",
                self.process_bodies,
            ),
            ("requests", "requests of the log", self.requests),
            ("findings", "findings", self.findings),
            ("notices", "notices", self.notices),
            ("bodies", "unfinished requests", self.bodies),
            ("too_large", "items that were too large", self.too_large),
        ]
    }

    /// Whether nothing was dropped.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// The counts as JSON.
    #[must_use]
    pub fn to_json(self) -> Value {
        let parts = self.parts().into_iter();
        Value::from_iter(parts.map(|(key, _, count)| (key, Value::from(count))))
    }
}

/// The counts that are not 0, for instance `12 spans, 2 unfinished requests`.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts().into_iter().filter(|(_, _, count)| *count > 0);
        let texts: Vec<_> = parts
            .map(|(_, noun, count)| format!("{count} {noun}"))
            .collect();
        f.write_str(&texts.join(", "))
    }
}
