use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};

use super::{SpanKind, TraceSpan, describe};
use crate::state::{SpanRecord, entity};

/// The spans of one trace as a tree. Missing parents, cycles and duplicates
/// are shown as further roots.
#[derive(Clone, Debug)]
pub struct Trace {
    id: String,
    spans: Vec<TraceSpan>,
    rows: Vec<Row>,
}

/// A line of the tree: a span and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Index into [`Trace::spans`].
    pub span: usize,
    /// 0 for roots.
    pub depth: usize,
    /// Whether it is the last child of its parent.
    pub last: bool,
}

impl Trace {
    /// A trace of native spans, as [`crate::DevAgent::spans`] returns them; the
    /// service name is `data.service`, else `service`.
    #[must_use]
    pub fn of(id: &str, spans: &[Value], service: &str) -> Self {
        let spans = spans
            .iter()
            .map(|span| (span.clone(), "", entity(span), service.to_owned()));
        Self::build(
            id,
            spans
                .map(|(value, plugin, pid, service)| read(value.into(), plugin, pid, service))
                .collect(),
        )
    }

    pub(crate) fn of_records(
        id: &str,
        records: &[&SpanRecord],
        service: impl Fn(&SpanRecord) -> String,
    ) -> Self {
        let spans = records.iter().map(|record| {
            let value = std::sync::Arc::clone(record.value());
            read(value, record.plugin(), record.pid(), service(record))
        });
        Self::build(id, spans.collect())
    }

    fn build(id: &str, mut spans: Vec<TraceSpan>) -> Self {
        // In one millisecond, an entry starts before exits, and what ended first came first.
        spans.sort_by_key(|span| (span.start_ms, span.kind != SpanKind::Entry, span.end_ms()));
        let rows = rows(&spans);
        Self {
            id: id.to_owned(),
            spans,
            rows,
        }
    }

    /// The trace id, `t`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The spans by start time.
    #[must_use]
    pub fn spans(&self) -> &[TraceSpan] {
        &self.spans
    }

    /// The tree, depth first.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The root: the first row's span.
    #[must_use]
    pub fn root(&self) -> Option<&TraceSpan> {
        self.spans.get(self.rows.first()?.span)
    }

    /// Whether a span has no parent, or an entry's parent is not among the
    /// spans (it continues a trace from elsewhere).
    #[must_use]
    pub fn has_root(&self) -> bool {
        let ids: HashSet<_> = self.spans.iter().map(|span| span.id.as_str()).collect();
        self.spans.iter().any(|span| match &span.parent {
            None => true,
            Some(parent) => span.kind == SpanKind::Entry && !ids.contains(parent.as_str()),
        })
    }

    /// The services, sorted.
    #[must_use]
    pub fn services(&self) -> Vec<&str> {
        let services: BTreeSet<_> = self
            .spans
            .iter()
            .map(|span| span.service.as_str())
            .collect();
        services.into_iter().collect()
    }

    /// How many spans have errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.spans.iter().filter(|span| span.errors > 0).count()
    }

    /// The first start, ms since 1970.
    #[must_use]
    pub fn start_ms(&self) -> u64 {
        self.spans
            .iter()
            .map(|span| span.start_ms)
            .min()
            .unwrap_or_default()
    }

    /// From the first start to the last end, ms.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        let end = self
            .spans
            .iter()
            .map(TraceSpan::end_ms)
            .max()
            .unwrap_or_default();
        end.saturating_sub(self.start_ms())
    }

    /// The trace as JSON, its spans depth first with their `depth`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let spans: Vec<_> = self
            .rows
            .iter()
            .filter_map(|row| {
                let mut span = self.spans.get(row.span)?.to_json();
                span.as_object_mut()?
                    .insert("depth".to_owned(), row.depth.into());
                Some(span)
            })
            .collect();
        let mut out = self.summary();
        if let Some(out) = out.as_object_mut() {
            out.insert("spans".to_owned(), spans.into());
        }
        out
    }

    /// The trace as JSON without its spans.
    #[must_use]
    pub fn summary(&self) -> Value {
        json!({
            "trace": self.id, "root": self.root().map(|root| root.label.clone()),
            "services": self.services(), "span_count": self.spans.len(), "errors": self.errors(),
            "start_ms": self.start_ms(), "duration_ms": self.duration_ms(),
        })
    }
}

fn read(
    value: std::sync::Arc<Value>,
    plugin: &str,
    pid: Option<u64>,
    service: String,
) -> TraceSpan {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key: &str| value.get(key).and_then(Value::as_u64);
    let own = value.pointer("/data/service").and_then(Value::as_str);
    let description = describe(&value);
    TraceSpan {
        id: text("s").unwrap_or_default(),
        parent: text("p"),
        name: text("n").unwrap_or_default(),
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
        value,
    }
}

/// Depth first from the roots, then from what no root reaches (cycles).
fn rows(spans: &[TraceSpan]) -> Vec<Row> {
    let mut by_id: HashMap<&str, usize> = HashMap::new();
    for (index, span) in spans.iter().enumerate() {
        by_id.entry(&span.id).or_insert(index);
    }
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        let parent = span.parent.as_deref().and_then(|parent| by_id.get(parent));
        match parent {
            Some(parent) if *parent != index => children.entry(*parent).or_default().push(index),
            _ => roots.push(index),
        }
    }
    let mut rows = Vec::with_capacity(spans.len());
    let mut seen = HashSet::new();
    for start in roots.into_iter().chain(0..spans.len()) {
        let mut stack = vec![Row {
            span: start,
            depth: 0,
            last: true,
        }];
        while let Some(row) = stack.pop() {
            if !seen.insert(row.span) {
                continue;
            }
            rows.push(row);
            let below = children.get(&row.span).map_or(&[][..], Vec::as_slice);
            for (place, child) in below.iter().rev().enumerate() {
                stack.push(Row {
                    span: *child,
                    depth: row.depth + 1,
                    last: place == 0,
                });
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, parent: Option<&str>, ts: u64) -> Value {
        json!({"t": "t", "s": id, "p": parent, "n": "sdk", "k": 3, "ts": ts, "d": 1, "data": {}})
    }

    fn shape(spans: &[Value]) -> Vec<(String, usize)> {
        let trace = Trace::of("t", spans, "x");
        let rows = trace.rows().iter();
        rows.map(|row| (trace.spans()[row.span].id.clone(), row.depth))
            .collect()
    }

    fn pairs(list: &[(&str, usize)]) -> Vec<(String, usize)> {
        list.iter()
            .map(|(id, depth)| ((*id).to_owned(), *depth))
            .collect()
    }

    #[test]
    fn children_follow_their_parents_by_time() {
        let spans = [
            span("c", Some("a"), 3),
            span("b", Some("a"), 2),
            span("a", None, 1),
            span("d", Some("b"), 4),
        ];
        assert_eq!(
            shape(&spans),
            pairs(&[("a", 0), ("b", 1), ("d", 2), ("c", 1)])
        );
    }

    #[test]
    fn broken_traces_lose_no_span() {
        let cycle = [
            span("a", Some("b"), 1),
            span("b", Some("a"), 2),
            span("s", Some("s"), 3),
        ];
        assert_eq!(shape(&cycle), pairs(&[("s", 0), ("a", 0), ("b", 1)]));
        let missing = [span("a", Some("gone"), 1), span("a", None, 2)];
        assert_eq!(shape(&missing), pairs(&[("a", 0), ("a", 0)]));
        assert!(shape(&[]).is_empty());
    }

    #[test]
    fn deep_traces_need_no_stack() {
        let spans: Vec<_> = (0..50_000u64)
            .map(|n| {
                span(
                    &n.to_string(),
                    n.checked_sub(1).map(|p| p.to_string()).as_deref(),
                    n,
                )
            })
            .collect();
        let rows = shape(&spans);
        assert_eq!(rows.last().map(|(_, depth)| *depth), Some(49_999));
    }
}
