use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::state::State;
use crate::validate::span::{self, SpanContext};
use crate::validate::{Report, Rule};

/// Our tracer's ceiling for spans in a POST.
const SPANS: usize = 1000;

/// The spans of one POST.
pub(super) struct Batch<'a> {
    pub(super) spans: Vec<Value>,
    pub(super) context: SpanContext,
    pub(super) plugin: &'a str,
    pub(super) pid: Option<u64>,
    /// Whether the spans are to be checked; converted ones were before.
    pub(super) check: bool,
}

impl Batch<'_> {
    /// Checks the spans and keeps those that are objects.
    pub(super) fn take(self, state: &mut State, report: &mut Report, now: Instant) {
        if self.spans.len() > SPANS {
            let message = format!("is above {SPANS}");
            report.text(Rule::SpanCount, "", &self.spans.len().to_string(), message);
        }
        let plugin: Arc<str> = Arc::from(self.plugin);
        for (index, value) in self.spans.into_iter().enumerate() {
            let at = format!("/{index}");
            if self.check {
                span::check(&value, &at, &self.context, report);
            }
            if !value.is_object() {
                continue;
            }
            let id = value.get("s").cloned();
            let new = state.spans.push(value, &plugin, self.pid, now);
            // A missing id was reported as that.
            if let Some(id) = id.filter(|id| !new && id.is_string()) {
                report.value(
                    Rule::DuplicateSpan,
                    format!("{at}/s"),
                    &id,
                    "was sent before",
                );
            }
        }
    }
}
