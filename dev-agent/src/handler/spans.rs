//! Takes the spans of a request, checks and keeps them.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::{Handler, SMALL};
use crate::json::Items;
use crate::store::{Ageing, SpanRecord};
use crate::validate::Rule;
use crate::validate::generic;
use crate::validate::span::{self, SpanContext};

/// Further spans of a request are dropped.
const SPANS: usize = 100_000;
/// Further spans of a request are kept and not checked: 5 MiB of ordinary spans
/// are fewer.
const CHECKED: usize = 25_000;
/// Older data is dropped each time so many bytes of spans have been added.
const STEP: usize = 256 * 1024;

/// How the spans of one POST are taken.
pub(super) struct Batch {
    pub(super) context: SpanContext,
    pub(super) plugin: Arc<str>,
    pub(super) pid: Option<u64>,
    /// Whether they are generic ones, which are converted.
    pub(super) generic: bool,
}

impl Batch {
    /// Checks the spans and keeps those that are objects; returns how many came.
    pub(super) fn take(&self, handler: &mut Handler<'_>, items: &Items<'_>) -> u64 {
        let before = handler.request.body.before;
        handler.state.spans.count_dropped(before);
        let (mut count, mut roomy) = (0, handler.state.spans.bytes());
        for item in items.iter().flatten() {
            count += 1;
            if count > SPANS {
                continue;
            }
            let at = match items.is_array() {
                true => format!("/{}", before + count as u64 - 1),
                false => String::new(),
            };
            let Ok(span) = handler.read(item, &at) else {
                continue;
            };
            self.one(handler, span, &at, count <= CHECKED);
            if handler.state.spans.bytes().saturating_sub(roomy) > STEP {
                handler.state.make_room(handler.state.memory.work(SMALL));
                roomy = handler.state.spans.bytes();
            }
        }
        if count > SPANS {
            let message = format!("is above {SPANS}: the others are dropped");
            let shown = count.to_string();
            handler.report.text(Rule::BodyKept, "body", &shown, message);
            let dropped = (count - SPANS) as u64;
            handler.state.spans.count_dropped(dropped);
        }
        before + count as u64
    }

    fn one(&self, handler: &mut Handler<'_>, span: Value, at: &str, check: bool) {
        let service = span.pointer("/data/service").and_then(Value::as_str);
        handler.report.set_service(service);
        let span = if self.generic {
            match generic::convert(&span, at, handler.report) {
                Some(span) => span,
                None => return,
            }
        } else {
            if check {
                span::check(&span, at, &self.context, handler.report);
            }
            span
        };
        if !span.is_object() {
            return;
        }
        let state = &mut *handler.state;
        let record = SpanRecord::of(&span, state.age(), &self.plugin, self.pid);
        let quiet = state.config.quiet_after;
        let new = state.spans.push(record, Instant::now(), quiet);
        // A missing id was reported as that.
        if let Some(id) = span.get("s").filter(|id| !new && id.is_string()) {
            let at = format!("{at}/s");
            handler
                .report
                .value(Rule::DuplicateSpan, at, id, "was sent before");
        }
        handler.report.set_service(None);
    }
}
