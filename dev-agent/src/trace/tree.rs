//! `Trace`: the spans of one trace as a tree.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::outline::{self, outline};
use super::{Row, SpanKind, TraceSpan};
use crate::json::weight;
use crate::store::{SpanRecord, Weigh, entity};

/// The largest number of spans in an excerpt.
const EXCERPT: usize = 1000;

/// The spans of one trace as a tree. Missing parents, cycles and duplicates
/// are shown as further roots.
#[derive(Clone, Debug)]
pub struct Trace {
    id: String,
    spans: Vec<TraceSpan>,
    rows: Vec<Row>,
    totals: Totals,
}

/// Totals of all spans of a trace, including spans that an excerpt leaves out.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    spans: usize,
    errors: usize,
    start_ms: u64,
    end_ms: u64,
    late: usize,
}

impl Totals {
    fn add(&mut self, start_ms: u64, end_ms: u64, failed: bool, late: bool) {
        if self.spans == 0 || start_ms < self.start_ms {
            self.start_ms = start_ms;
        }
        self.spans += 1;
        self.errors += usize::from(failed);
        self.end_ms = self.end_ms.max(end_ms);
        self.late += usize::from(late);
    }
}

impl Trace {
    /// A trace of native spans, as [`crate::DevAgent::spans`] returns them; the
    /// service name is `data.service`, else `service`.
    #[must_use]
    pub fn of(id: &str, spans: &[Value], service: &str) -> Self {
        let spans = spans.iter().map(|span| {
            let value = std::sync::Arc::new(span.clone());
            TraceSpan::read(value, "", entity(span), service.to_owned())
        });
        Self::build(id, spans.collect())
    }

    pub(crate) fn of_records(
        id: &str,
        records: &[&SpanRecord],
        service: impl Fn(&SpanRecord) -> String,
    ) -> Self {
        let spans = records.iter();
        let spans = spans.map(|record| TraceSpan::of_record(record, service(record)));
        Self::build(id, spans.collect())
    }

    fn build(id: &str, mut spans: Vec<TraceSpan>) -> Self {
        // In one millisecond, an entry starts before exits, and what ended first came first.
        spans.sort_by_key(|span| (span.start_ms, span.kind != SpanKind::Entry, span.end_ms()));
        let rows = outline(&spans);
        let mut totals = Totals::default();
        for span in &spans {
            totals.add(span.start_ms, span.end_ms(), span.errors > 0, span.late);
        }
        Self {
            id: id.to_owned(),
            spans,
            rows,
            totals,
        }
    }

    /// The first rows of a trace, as far as their spans take at most `limit` bytes. If some
    /// are `late`, only these and the rows above them.
    pub(crate) fn excerpt(
        id: &str,
        records: &[&SpanRecord],
        service: impl Fn(&SpanRecord) -> String,
        late: impl Fn(&SpanRecord) -> bool,
        limit: usize,
    ) -> Self {
        let records = sorted(records);
        let mut all = outline(&records);
        let mut totals = Totals::default();
        for record in &records {
            let (start, end) = (record.start_ms(), record.end_ms());
            totals.add(start, end, record.failed(), late(record));
        }
        if totals.late > 0 && totals.late < totals.spans {
            all = outline::with_ancestors(&all, |span| {
                records.get(span).is_some_and(|record| late(record))
            });
        }
        let (mut spans, mut rows, mut left) = (Vec::new(), Vec::new(), limit);
        for row in all.into_iter().take(EXCERPT) {
            let Some(record) = records.get(row.span) else {
                continue;
            };
            let mut span = TraceSpan::of_record(record, service(record));
            span.late = late(record);
            match left.checked_sub(span.weight()) {
                Some(less) => left = less,
                None => break,
            }
            let span_at = spans.len();
            rows.push(Row {
                span: span_at,
                ..row
            });
            spans.push(span);
        }
        Self {
            id: id.to_owned(),
            spans,
            rows,
            totals,
        }
    }

    /// The trace as JSON like [`Self::to_json`], but no longer than `limit`, and
    /// without all its spans in memory at once.
    pub(crate) fn text(
        id: &str,
        records: &[&SpanRecord],
        service: impl Fn(&SpanRecord) -> String,
        limit: usize,
    ) -> String {
        let mut head = Self::excerpt(id, records, &service, |_| false, limit / 4).summary();
        let records = sorted(records);
        let rows = outline(&records);
        let mut spans = String::new();
        let mut left_off = rows.len();
        for row in &rows {
            let Some(record) = records.get(row.span) else {
                continue;
            };
            let mut span = TraceSpan::of_record(record, service(record)).to_json();
            if let Some(span) = span.as_object_mut() {
                span.insert("depth".to_owned(), row.depth.into());
            }
            let span = span.to_string();
            if spans.len() + span.len() > limit {
                break;
            }
            if !spans.is_empty() {
                spans.push(',');
            }
            spans.push_str(&span);
            left_off -= 1;
        }
        if let Some(head) = head.as_object_mut() {
            head.insert("left_off".to_owned(), left_off.into());
        }
        let head = head.to_string();
        let head = head.strip_suffix('}').unwrap_or_default();
        format!("{head},\"spans\":[{spans}]}}")
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

    /// The number of spans of the trace, including spans that are not in
    /// [`spans`](Self::spans): a [`crate::Notice`] has only the first spans of a long
    /// trace.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.totals.spans
    }

    /// How many spans came after the trace had been shown.
    #[must_use]
    pub fn late(&self) -> usize {
        self.totals.late
    }

    /// How many spans have errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.totals.errors
    }

    /// The first start, ms since 1970.
    #[must_use]
    pub fn start_ms(&self) -> u64 {
        self.totals.start_ms
    }

    /// From the first start to the last end, ms.
    #[must_use]
    pub fn duration_ms(&self) -> u64 {
        self.totals.end_ms.saturating_sub(self.totals.start_ms)
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
            "services": self.services(), "span_count": self.span_count(), "errors": self.errors(), "late": self.late(),
            "start_ms": self.start_ms(), "duration_ms": self.duration_ms(),
        })
    }
}

/// Records in the order of [`Trace::spans`].
fn sorted<'a>(records: &[&'a SpanRecord]) -> Vec<&'a SpanRecord> {
    let mut records = records.to_vec();
    records.sort_by_key(|span| (span.start_ms(), span.kind() != Some(1), span.end_ms()));
    records
}

impl Weigh for Trace {
    fn weight(&self) -> usize {
        let spans: usize = self.spans.iter().map(Weigh::weight).sum();
        spans + self.rows.capacity() * size_of::<Row>() + self.id.weight()
    }
}

impl Weigh for TraceSpan {
    fn weight(&self) -> usize {
        let texts = [
            &self.id,
            &self.name,
            &self.service,
            &self.plugin,
            &self.label,
            &self.target,
        ];
        let texts: usize = texts.into_iter().map(Weigh::weight).sum();
        let more = [&self.parent, &self.error].into_iter().flatten();
        let more: usize = more.map(Weigh::weight).sum();
        2 * size_of::<Self>() + texts + more + weight(&self.value)
    }
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
