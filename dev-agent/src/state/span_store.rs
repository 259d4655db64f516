use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

/// A span that the agent keeps.
#[derive(Clone, Debug)]
pub(crate) struct SpanRecord {
    number: u64,
    value: Arc<Value>,
    plugin: Arc<str>,
    pid: Option<u64>,
    weight: usize,
}

impl SpanRecord {
    pub(crate) fn value(&self) -> &Arc<Value> {
        &self.value
    }

    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The pid of the URL; of raw traces the one in `f.e`.
    pub(crate) fn pid(&self) -> Option<u64> {
        self.pid.or_else(|| entity(&self.value))
    }

    pub(crate) fn id(&self) -> &str {
        self.text("s")
    }

    pub(crate) fn trace(&self) -> &str {
        self.text("t")
    }

    pub(crate) fn name(&self) -> &str {
        self.text("n")
    }

    pub(crate) fn parent(&self) -> Option<&str> {
        self.value.get("p").and_then(Value::as_str)
    }

    pub(crate) fn kind(&self) -> Option<u64> {
        self.value.get("k").and_then(Value::as_u64)
    }

    fn text(&self, key: &str) -> &str {
        self.value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The process that a span says it is from.
pub(crate) fn entity(span: &Value) -> Option<u64> {
    let entity = span.pointer("/f/e")?;
    let pid = entity.as_u64();
    pid.or_else(|| entity.as_str()?.parse().ok())
}

/// What is known of a trace besides its spans.
#[derive(Debug)]
struct TraceState {
    numbers: VecDeque<u64>,
    ids: HashSet<String>,
    last: Instant,
    /// Spans of it were dropped.
    incomplete: bool,
    /// It was shown, and no span came since.
    shown: bool,
}

/// Spans in order of arrival, bounded in bytes.
#[derive(Debug)]
pub(crate) struct SpanStore {
    spans: VecDeque<SpanRecord>,
    traces: HashMap<String, TraceState>,
    bytes: usize,
    limit: usize,
    next: u64,
    dropped: u64,
}

impl SpanStore {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            spans: VecDeque::new(),
            traces: HashMap::new(),
            bytes: 0,
            limit,
            next: 0,
            dropped: 0,
        }
    }

    /// Keeps a span; `false` when the trace has a span of that id already.
    pub(crate) fn push(
        &mut self,
        value: Value,
        plugin: &Arc<str>,
        pid: Option<u64>,
        now: Instant,
    ) -> bool {
        let weight = weight(&value);
        let record = SpanRecord {
            number: self.next,
            value: Arc::new(value),
            plugin: Arc::clone(plugin),
            pid,
            weight,
        };
        self.next += 1;
        let trace = self
            .traces
            .entry(record.trace().to_owned())
            .or_insert_with(|| TraceState {
                numbers: VecDeque::new(),
                ids: HashSet::new(),
                last: now,
                incomplete: false,
                shown: false,
            });
        trace.numbers.push_back(record.number);
        trace.last = now;
        trace.shown = false;
        let new = trace.ids.insert(record.id().to_owned());
        self.bytes += weight;
        self.spans.push_back(record);
        while self.bytes > self.limit && self.spans.len() > 1 {
            self.drop_oldest();
        }
        new
    }

    fn drop_oldest(&mut self) {
        let Some(oldest) = self.spans.pop_front() else {
            return;
        };
        self.bytes -= oldest.weight;
        self.dropped += 1;
        let gone = self.traces.get_mut(oldest.trace()).is_some_and(|trace| {
            trace.numbers.pop_front();
            trace.ids.remove(oldest.id());
            trace.incomplete = true;
            trace.numbers.is_empty()
        });
        if gone {
            self.traces.remove(oldest.trace());
        }
    }

    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.traces.clear();
        self.bytes = 0;
        self.dropped = 0;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &SpanRecord> {
        self.spans.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn trace_count(&self) -> usize {
        self.traces.len()
    }

    /// Trace ids, oldest first by their first kept span.
    pub(crate) fn trace_ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self
            .traces
            .iter()
            .filter_map(|(id, trace)| trace.numbers.front().map(|first| (*first, id)))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// The spans of a trace, and whether none was dropped.
    pub(crate) fn trace(&self, id: &str) -> Option<(Vec<&SpanRecord>, bool)> {
        let trace = self.traces.get(id)?;
        let first = self.spans.front().map_or(0, |span| span.number);
        let spans = trace.numbers.iter().filter_map(|number| {
            let index = usize::try_from(number.checked_sub(first)?).ok()?;
            self.spans.get(index)
        });
        Some((spans.collect(), !trace.incomplete))
    }

    /// Traces that were not shown yet, with the time of their newest span.
    pub(crate) fn pending(&self) -> Vec<(String, Instant)> {
        let pending = self.traces.iter().filter(|(_, trace)| !trace.shown);
        pending
            .map(|(id, trace)| (id.clone(), trace.last))
            .collect()
    }

    pub(crate) fn mark_shown(&mut self, id: &str) {
        if let Some(trace) = self.traces.get_mut(id) {
            trace.shown = true;
        }
    }
}

/// Roughly the bytes that a value takes in memory.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 32 + text.len(),
        Value::Array(items) => 32 + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => {
            let each = members.iter();
            48 + each
                .map(|(key, value)| 48 + key.len() + weight(value))
                .sum::<usize>()
        }
        _ => 32,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn span(trace: u8, id: u8) -> Value {
        json!({"t": format!("{trace:016x}"), "s": format!("{id:016x}")})
    }

    #[test]
    fn drops_the_oldest_beyond_its_bytes() {
        let one = weight(&span(1, 1));
        let mut store = SpanStore::new(one * 3);
        let (plugin, now) = (Arc::from("rust"), Instant::now());
        for (trace, id) in [(1, 1), (2, 1), (2, 2), (2, 3)] {
            assert!(store.push(span(trace, id), &plugin, None, now));
        }
        assert_eq!(
            (store.len(), store.bytes(), store.dropped()),
            (3, one * 3, 1)
        );
        assert!(store.trace(&format!("{:016x}", 1)).is_none());
        assert!(store.push(span(3, 1), &plugin, None, now));
        let (spans, complete) = store.trace(&format!("{:016x}", 2)).unwrap();
        assert_eq!((spans.len(), complete), (2, false));
        assert!(spans.iter().all(|span| span.trace().ends_with('2')));
    }

    #[test]
    fn tells_duplicates() {
        let mut store = SpanStore::new(1 << 20);
        let (plugin, now) = (Arc::from("rust"), Instant::now());
        assert!(store.push(span(1, 1), &plugin, None, now));
        assert!(store.push(span(2, 1), &plugin, None, now));
        assert!(!store.push(span(1, 1), &plugin, None, now));
    }
}
