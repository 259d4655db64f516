//! `ServiceMap`: services, and the calls between them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::store::SpanRecord;
use crate::trace::{SpanKind, Trace, TraceSpan};

/// Further services are left out.
const SERVICES: usize = 1000;
/// Further edges are left out.
const EDGES: usize = 5000;

/// Which services call which, counted over the kept spans.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ServiceMap {
    /// By name; 1000 at most.
    pub services: Vec<Service>,
    /// By caller and callee; 5000 at most.
    pub edges: Vec<Edge>,
}

/// A service of the map.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The plugins of its processes.
    pub plugins: Vec<String>,
    /// How many processes it has.
    pub instances: usize,
    /// Calls to it: its entries.
    pub calls: u64,
    /// Entries with errors.
    pub errors: u64,
    /// Mean duration of its entries, ms.
    pub mean_ms: f64,
    /// Duration that 95 of 100 entries do not exceed, ms.
    pub p95_ms: u64,
    /// Longest duration of its entries, ms.
    pub max_ms: u64,
}

impl Service {
    /// The share of its calls with errors, 0 to 1.
    #[must_use]
    pub fn error_rate(&self) -> f64 {
        match self.calls {
            0 => 0.0,
            calls => ratio(self.errors, calls),
        }
    }
}

/// Calls from a service to another one or to something outside.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Edge {
    /// The calling service.
    pub from: String,
    /// The called service, or for instance `postgres db:5432`.
    pub to: String,
    /// `service`, or what is outside: `http`, `postgres`, `redis` …
    pub kind: String,
    /// How often.
    pub calls: u64,
    /// Calls with errors.
    pub errors: u64,
}

#[derive(Default)]
struct Tally {
    plugins: BTreeSet<String>,
    pids: BTreeSet<u64>,
    calls: u64,
    errors: u64,
    durations_ms: Vec<u64>,
}

impl ServiceMap {
    /// The map of these traces.
    #[must_use]
    pub fn of(traces: &[Trace]) -> Self {
        let mut draft = Draft::default();
        for trace in traces {
            let entries = Entries::of(trace.spans().iter());
            for span in trace.spans() {
                draft.add(span, &entries);
            }
        }
        draft.map()
    }

    /// The map of the spans of each trace, which are read one by one.
    pub(crate) fn of_records<'a>(
        traces: impl Iterator<Item = Vec<&'a SpanRecord>>,
        service: impl Fn(&SpanRecord) -> String,
    ) -> Self {
        let mut draft = Draft::default();
        let read = |record: &&SpanRecord| TraceSpan::of_record(record, service(record));
        for trace in traces {
            let entries = trace.iter().filter(|record| record.kind() == Some(1));
            let entries = Entries::of(entries.map(read));
            for span in trace.iter().map(read) {
                draft.add(&span, &entries);
            }
        }
        draft.map()
    }

    /// The map as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let services: Vec<_> = self
            .services
            .iter()
            .map(|s| {
                json!({"name": s.name, "plugins": s.plugins, "instances": s.instances, "calls": s.calls,
                    "errors": s.errors, "error_rate": s.error_rate(), "mean_ms": s.mean_ms, "p95_ms": s.p95_ms, "max_ms": s.max_ms})
            })
            .collect();
        let edges: Vec<_> = self
            .edges
            .iter()
            .map(|e| json!({"from": e.from, "to": e.to, "kind": e.kind, "calls": e.calls, "errors": e.errors}))
            .collect();
        json!({"services": services, "edges": edges})
    }
}

impl Tally {
    fn add(&mut self, span: &TraceSpan) {
        if !span.plugin.is_empty() {
            self.plugins.insert(span.plugin.clone());
        }
        self.pids.extend(span.pid);
        if span.kind == SpanKind::Entry {
            self.calls += 1;
            self.errors += u64::from(span.errors > 0);
            self.durations_ms.push(span.duration_ms);
        }
    }

    fn service(mut self, name: &str) -> Service {
        self.durations_ms.sort_unstable();
        let durations = &self.durations_ms;
        let total_ms = durations
            .iter()
            .fold(0, |sum: u64, ms| sum.saturating_add(*ms));
        let mean_ms = match self.calls {
            0 => 0.0,
            calls => ratio(total_ms, calls),
        };
        let at = (durations.len() * 95).div_ceil(100).saturating_sub(1);
        Service {
            name: name.to_owned(),
            plugins: self.plugins.into_iter().collect(),
            instances: self.pids.len(),
            calls: self.calls,
            errors: self.errors,
            mean_ms,
            p95_ms: durations.get(at).copied().unwrap_or_default(),
            max_ms: durations.last().copied().unwrap_or_default(),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and milliseconds stay far below 2^52"
)]
fn ratio(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}

/// The services of entries by their parents: those that an exit calls.
struct Entries(HashMap<String, Vec<String>>);

impl Entries {
    fn of(spans: impl Iterator<Item = impl Borrow<TraceSpan>>) -> Self {
        let mut entries: HashMap<String, Vec<String>> = HashMap::new();
        for span in spans {
            let span: &TraceSpan = span.borrow();
            if let Some(parent) = span
                .parent
                .as_ref()
                .filter(|_| span.kind == SpanKind::Entry)
            {
                let services = entries.entry(parent.clone()).or_default();
                services.push(span.service.clone());
            }
        }
        Self(entries)
    }
}

/// A map that is being made.
#[derive(Default)]
struct Draft {
    services: BTreeMap<String, Tally>,
    /// From, to and kind; calls and errors.
    edges: BTreeMap<(String, String, String), (u64, u64)>,
}

impl Draft {
    fn add(&mut self, span: &TraceSpan, entries: &Entries) {
        if let Some(tally) = self.services.get_mut(&span.service) {
            tally.add(span);
        } else if self.services.len() < SERVICES {
            let tally = self.services.entry(span.service.clone()).or_default();
            tally.add(span);
        }
        if span.kind == SpanKind::Exit {
            self.calls(span, entries);
        }
    }

    /// An exit goes to the services of its child entries, else to its target outside.
    fn calls(&mut self, exit: &TraceSpan, entries: &Entries) {
        match entries.0.get(&exit.id) {
            Some(services) => {
                for service in services {
                    self.call(exit, service, "service");
                }
            }
            None if !exit.target.is_empty() => {
                let kind = exit.target.split(' ').next().unwrap_or_default();
                self.call(exit, &exit.target, kind);
            }
            None => {}
        }
    }

    fn call(&mut self, exit: &TraceSpan, to: &str, kind: &str) {
        let key = (exit.service.clone(), to.to_owned(), kind.to_owned());
        if self.edges.len() >= EDGES && !self.edges.contains_key(&key) {
            return;
        }
        let edge = self.edges.entry(key).or_default();
        edge.0 += 1;
        edge.1 += u64::from(exit.errors > 0);
    }

    fn map(self) -> ServiceMap {
        let services = self.services.into_iter();
        let edges = self.edges.into_iter();
        let edge = |((from, to, kind), (calls, errors))| Edge {
            from,
            to,
            kind,
            calls,
            errors,
        };
        ServiceMap {
            services: services.map(|(name, tally)| tally.service(&name)).collect(),
            edges: edges.map(edge).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_that_of_the_entries() {
        let entry = |n: u64| {
            let spans = [json!({
                "t": n.to_string(), "s": "a", "n": "g.http", "k": 1, "ts": 1, "d": n,
                "ec": u8::from(n % 4 == 0), "f": {"e": (n % 3).to_string()}, "data": {"service": "shop"},
            })];
            Trace::of(&n.to_string(), &spans, "")
        };
        let map = ServiceMap::of(&(1..=100).map(entry).collect::<Vec<_>>());
        let shop = &map.services[0];
        assert_eq!((shop.calls, shop.errors, shop.instances), (100, 25, 3));
        assert_eq!((shop.error_rate(), shop.mean_ms), (0.25, 50.5));
        assert_eq!((shop.p95_ms, shop.max_ms), (95, 100));
        let json = &map.to_json()["services"][0];
        assert_eq!(
            (&json["error_rate"], &json["p95_ms"]),
            (&json!(0.25), &json!(95))
        );
    }

    #[test]
    fn exits_lead_to_services_or_outside() {
        let span = |s: &str, p: &str, n: &str, k: u8, service: &str, d: u64, data: Value| {
            let mut data = data;
            data["service"] = service.into();
            json!({"t": "1", "s": s, "p": p, "n": n, "k": k, "ts": 1, "d": d, "ec": u8::from(s == "d"), "data": data})
        };
        let url = json!({"http": {"method": "GET", "url": "http://b:1/"}});
        let spans = [
            span("a", "x", "g.http", 1, "front", 9, json!({})),
            span("b", "a", "http", 2, "front", 5, url.clone()),
            span("c", "b", "g.http", 1, "back", 3, json!({})),
            span(
                "d",
                "c",
                "redis",
                2,
                "back",
                1,
                json!({"redis": {"connection": "r:6379"}}),
            ),
            span("e", "a", "http", 2, "front", 1, url),
        ];
        let map = ServiceMap::of(&[Trace::of("1", &spans, "")]);
        let edges: Vec<_> = map
            .edges
            .iter()
            .map(|e| (&*e.from, &*e.to, &*e.kind, e.calls, e.errors))
            .collect();
        assert_eq!(
            edges,
            [
                ("back", "redis r:6379", "redis", 1, 1),
                ("front", "back", "service", 1, 0),
                ("front", "http b:1", "http", 1, 0)
            ]
        );
        let services: Vec<_> = map
            .services
            .iter()
            .map(|s| (&*s.name, s.calls, s.max_ms))
            .collect();
        assert_eq!(services, [("back", 1, 3), ("front", 1, 9)]);
        let rates: Vec<_> = map.services.iter().map(Service::error_rate).collect();
        assert_eq!(rates, [0.0, 0.0], "the exit failed, not the entry");
        assert_eq!(
            map.services
                .iter()
                .map(|s| s.mean_ms.round() as u64)
                .sum::<u64>(),
            12
        );
    }
}
