//! `SpanStore`: all kept spans, linked by trace.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bounded::{Ageing, Weigh};
use super::span_record::SpanRecord;
use crate::json::ALLOCATION;

/// The bytes of an entry of a table: the table is at least 7/16 full, and exists twice
/// while it grows.
const ENTRY: usize = 4;
/// A trace without a root is given so much more time to finish.
const PATIENCE: u32 = 10;

/// The state of a trace besides its spans.
#[derive(Debug)]
struct TraceState {
    /// Numbers of its first and last span; the spans are linked in between.
    first: u64,
    last: u64,
    count: usize,
    /// When the last one came.
    last_at: Instant,
    /// Spans of it were dropped.
    incomplete: bool,
    /// A span without a parent came, or an entry whose parent is elsewhere.
    rooted: bool,
    /// When it is checked again: its place in `due`.
    queued: Option<Instant>,
    /// The spans below this number were shown.
    shown: u64,
}

/// Spans in order of arrival.
#[derive(Debug)]
pub(crate) struct SpanStore {
    spans: VecDeque<SpanRecord>,
    traces: HashMap<Arc<str>, TraceState>,
    /// Numbers of spans by a hash of trace and id, to know duplicates and parents.
    ids: HashMap<u64, u64>,
    hasher: RandomState,
    /// Traces that may be finished, and when.
    due: BTreeSet<(Instant, Arc<str>)>,
    bytes: usize,
    next: u64,
    dropped: u64,
}

/// A trace that is finished for now.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id: Arc<str>,
    /// Spans from this number on are new; 0 when the trace was not shown before.
    pub(crate) shown: u64,
}

impl SpanStore {
    pub(crate) fn new() -> Self {
        Self {
            spans: VecDeque::new(),
            traces: HashMap::new(),
            ids: HashMap::new(),
            hasher: RandomState::new(),
            due: BTreeSet::new(),
            bytes: 0,
            next: 1,
            dropped: 0,
        }
    }

    /// Keeps a span; `false` when the trace has a span of that id already.
    pub(crate) fn push(&mut self, mut record: SpanRecord, now: Instant, quiet: Duration) -> bool {
        let number = self.next;
        self.next += 1;
        let id = self.key(&record.trace, &record.id);
        let parent = record.parent.as_ref();
        let elsewhere = match parent {
            None => true,
            Some(parent) => {
                record.kind == Some(1) && !self.ids.contains_key(&self.key(&record.trace, parent))
            }
        };
        record.key = id;
        match self.traces.get_mut(&record.trace) {
            Some(trace) => {
                record.trace = match self.spans.get(index(trace.last, number, self.spans.len())) {
                    Some(last) => Arc::clone(&last.trace),
                    None => record.trace,
                };
                if let Some(last) = self
                    .spans
                    .get_mut(index(trace.last, number, self.spans.len()))
                {
                    last.next = number;
                }
                trace.last = number;
                trace.count += 1;
                trace.last_at = now;
                trace.rooted |= elsewhere;
            }
            None => {
                self.bytes += trace_weight(&record.trace);
                let trace = TraceState {
                    first: number,
                    last: number,
                    count: 1,
                    last_at: now,
                    incomplete: false,
                    rooted: elsewhere,
                    queued: None,
                    shown: 0,
                };
                self.traces.insert(Arc::clone(&record.trace), trace);
            }
        }
        self.queue(&Arc::clone(&record.trace), quiet);
        self.bytes += span_weight(&record);
        self.spans.push_back(record);
        self.ids.insert(id, number).is_none()
    }

    /// Schedules a check of the trace when it may be finished, unless one comes earlier.
    fn queue(&mut self, id: &Arc<str>, quiet: Duration) {
        let Some(trace) = self.traces.get_mut(id) else {
            return;
        };
        let due = trace.last_at + quiet * patience(trace.rooted);
        match trace.queued {
            Some(queued) if queued <= due => return,
            Some(queued) => drop(self.due.remove(&(queued, Arc::clone(id)))),
            None => {}
        }
        trace.queued = Some(due);
        self.due.insert((due, Arc::clone(id)));
    }

    /// The next trace that is finished at `now`; else when one may be.
    ///
    /// Each trace is looked at once in its time, so that many of them cost no
    /// more than their number.
    pub(crate) fn finish(
        &mut self,
        now: Instant,
        quiet: Duration,
    ) -> Result<Finished, Option<Instant>> {
        loop {
            let Some((due, _)) = self.due.first() else {
                return Err(None);
            };
            if *due > now {
                return Err(Some(*due));
            }
            let Some((_, id)) = self.due.pop_first() else {
                return Err(None);
            };
            let Some(trace) = self.traces.get(&id) else {
                continue;
            };
            let patient = trace.last_at + quiet * patience(trace.rooted);
            // Its parent may have come since: it is no root then.
            let rooted = trace.rooted && (patient > now || self.has_root(&id));
            let next = self.next;
            let Some(trace) = self.traces.get_mut(&id) else {
                continue;
            };
            trace.queued = None;
            trace.rooted = rooted;
            if trace.last_at + quiet * patience(rooted) > now {
                self.queue(&id, quiet);
                continue;
            }
            let shown = std::mem::replace(&mut trace.shown, next);
            return Ok(Finished { id, shown });
        }
    }

    /// Whether a span has no parent, or an entry's parent is elsewhere.
    pub(crate) fn has_root(&self, id: &str) -> bool {
        self.of_trace(id).any(|span| match &span.parent {
            None => true,
            Some(parent) => {
                span.kind == Some(1) && !self.ids.contains_key(&self.key(&span.trace, parent))
            }
        })
    }

    pub(crate) fn clear(&mut self) {
        let next = self.next;
        *self = Self::new();
        self.next = next;
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &SpanRecord> {
        self.spans.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Counts spans that were not kept.
    pub(crate) fn count_dropped(&mut self, more: u64) {
        self.dropped += more;
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn trace_count(&self) -> usize {
        self.traces.len()
    }

    /// Trace ids, oldest first by their first kept span.
    pub(crate) fn trace_ids(&self) -> Vec<Arc<str>> {
        let each = self.traces.iter();
        let mut ids: Vec<_> = each.map(|(id, trace)| (trace.first, id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| Arc::clone(id)).collect()
    }

    /// The spans of a trace with their numbers, and whether none was dropped.
    pub(crate) fn trace(&self, id: &str) -> Option<(Vec<&SpanRecord>, bool)> {
        let trace = self.traces.get(id)?;
        let mut spans = Vec::with_capacity(trace.count);
        spans.extend(self.of_trace(id));
        Some((spans, !trace.incomplete))
    }

    /// The number of a span that was pushed.
    pub(crate) fn number(&self, span: &SpanRecord) -> u64 {
        self.ids.get(&span.key).copied().unwrap_or_default()
    }

    fn of_trace(&self, id: &str) -> impl Iterator<Item = &SpanRecord> {
        let mut number = self.traces.get(id).map_or(0, |trace| trace.first);
        std::iter::from_fn(move || {
            let span = self.spans.get(index(number, self.next, self.spans.len()))?;
            number = span.next;
            Some(span)
        })
    }

    fn key(&self, trace: &str, id: &str) -> u64 {
        self.hasher.hash_one((trace, id))
    }
}

impl Ageing for SpanStore {
    fn oldest(&self) -> Option<u64> {
        self.spans.front().map(|span| span.age)
    }

    fn drop_oldest(&mut self) {
        let number = self.next - self.spans.len() as u64;
        let Some(oldest) = self.spans.pop_front() else {
            return;
        };
        self.bytes -= span_weight(&oldest);
        self.dropped += 1;
        if self.ids.get(&oldest.key) == Some(&number) {
            self.ids.remove(&oldest.key);
        }
        if let Some(trace) = self.traces.get_mut(&oldest.trace) {
            trace.first = oldest.next;
            trace.count -= 1;
            trace.incomplete = true;
            if trace.count == 0 {
                if let Some(queued) = trace.queued {
                    self.due.remove(&(queued, Arc::clone(&oldest.trace)));
                }
                self.traces.remove(&oldest.trace);
                self.bytes -= trace_weight(&oldest.trace);
            }
        }
        self.shrink();
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl SpanStore {
    /// Memory for many small spans is given back when there are few.
    fn shrink(&mut self) {
        if self.spans.len() < self.spans.capacity() / 3 {
            self.spans.shrink_to(self.spans.len() * 3 / 2);
        }
        if self.ids.len() < self.ids.capacity() / 3 {
            self.ids.shrink_to(self.ids.len() * 3 / 2);
        }
        if self.traces.len() < self.traces.capacity() / 3 {
            self.traces.shrink_to(self.traces.len() * 3 / 2);
        }
    }
}

/// Where the span of a number is in a list of `length` whose next is `next`.
fn index(number: u64, next: u64, length: usize) -> usize {
    let back = next.saturating_sub(number);
    let back = usize::try_from(back).unwrap_or(usize::MAX);
    length.checked_sub(back).unwrap_or(usize::MAX)
}

fn patience(rooted: bool) -> u32 {
    if rooted { 1 } else { PATIENCE }
}

fn span_weight(span: &SpanRecord) -> usize {
    2 * size_of::<SpanRecord>() + ENTRY * size_of::<(u64, u64)>() + span.weight()
}

fn trace_weight(id: &Arc<str>) -> usize {
    let queued = 3 * size_of::<(Instant, Arc<str>)>();
    ENTRY * size_of::<(Arc<str>, TraceState)>() + queued + 2 * ALLOCATION + id.len()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const QUIET: Duration = Duration::from_secs(1);

    fn span(trace: u64, id: u64, parent: Option<u64>, kind: u8) -> Value {
        let mut span = json!({"t": format!("{trace:016x}"), "s": format!("{id:016x}"), "k": kind});
        if let Some(parent) = parent {
            span["p"] = format!("{parent:016x}").into();
        }
        span
    }

    fn push(store: &mut SpanStore, span: &Value, now: Instant) -> bool {
        let record = SpanRecord::of(span, store.next, &Arc::from("rust"), None);
        store.push(record, now, QUIET)
    }

    fn id(trace: u64) -> String {
        format!("{trace:016x}")
    }

    #[test]
    fn gives_up_the_oldest() {
        let (mut store, now) = (SpanStore::new(), Instant::now());
        for (trace, id) in [(1, 1), (2, 1), (1, 2), (2, 2), (2, 3)] {
            assert!(push(&mut store, &span(trace, id, None, 1), now));
        }
        for _ in 0..2 {
            store.drop_oldest();
        }
        assert_eq!(
            (store.len(), store.dropped(), store.oldest()),
            (3, 2, Some(3))
        );
        for (trace, count) in [(1, 1), (2, 2)] {
            let (spans, complete) = store.trace(&id(trace)).unwrap();
            assert_eq!((spans.len(), complete), (count, false));
        }
        assert!(
            push(&mut store, &span(1, 1, None, 1), now),
            "the first is gone"
        );
        for _ in 0..4 {
            store.drop_oldest();
        }
        assert_eq!(
            (store.bytes(), store.trace_count(), store.due.len()),
            (0, 0, 0)
        );
        assert!(store.ids.is_empty());
    }

    #[test]
    fn knows_duplicates() {
        let (mut store, now) = (SpanStore::new(), Instant::now());
        assert!(push(&mut store, &span(1, 1, None, 1), now));
        assert!(push(&mut store, &span(2, 1, None, 1), now));
        assert!(!push(&mut store, &span(1, 1, None, 1), now));
        assert_eq!(store.trace(&id(1)).unwrap().0.len(), 2);
    }

    /// What the store says at some seconds after the first span.
    fn finished(store: &mut SpanStore, at: Instant) -> Vec<(String, bool)> {
        let mut finished = Vec::new();
        while let Ok(trace) = store.finish(at, QUIET) {
            finished.push((trace.id.to_string(), trace.shown > 0));
        }
        finished
    }

    #[test]
    fn traces_finish_when_they_are_quiet() {
        let (mut store, start) = (SpanStore::new(), Instant::now());
        let at = |seconds: u64| start + Duration::from_millis(seconds * 1000 + 1);
        // 1 has a root, 2 none, 3 an entry whose parent is elsewhere, 4 one whose
        // parent comes later.
        push(&mut store, &span(1, 1, None, 1), start);
        push(&mut store, &span(2, 1, Some(9), 2), start);
        push(&mut store, &span(3, 1, Some(9), 1), start);
        push(&mut store, &span(4, 1, Some(2), 1), start);
        push(&mut store, &span(4, 2, Some(9), 2), start);
        assert_eq!(finished(&mut store, start), []);
        let mut first = finished(&mut store, at(1));
        first.sort();
        assert_eq!(first, [(id(1), false), (id(3), false)]);
        // A late span of the first, and a root of the second.
        push(&mut store, &span(1, 2, Some(1), 2), at(2));
        push(&mut store, &span(2, 9, None, 1), at(2));
        assert_eq!(finished(&mut store, at(2)), []);
        let mut second = finished(&mut store, at(3));
        second.sort();
        assert_eq!(second, [(id(1), true), (id(2), false)]);
        assert_eq!(finished(&mut store, at(10)), [(id(4), false)]);
        assert_eq!(finished(&mut store, at(1000)), []);
    }

    #[test]
    fn tables_shrink() {
        let (mut store, now) = (SpanStore::new(), Instant::now());
        for n in 0..20_000 {
            push(&mut store, &span(n, n, None, 1), now);
        }
        for _ in 0..19_000 {
            store.drop_oldest();
        }
        assert!(store.spans.capacity() < 5000 && store.ids.capacity() < 5000);
        assert!(store.traces.capacity() < 5000);
        assert_eq!(store.due.len(), 1000);
    }
}
