//! What the agent saw, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use instana_dev_agent::render::{self, count};
use instana_dev_agent::{ServiceMap, Trace, TraceSpan};
use serde_json::{Value, json};

use crate::Outcome;
use crate::agent::{Agent, Kind};
use crate::children::Children;
use crate::environment;
use crate::load::Expected;
use crate::query::Query;

/// Metrics of each process that are waited for.
const METRICS: u64 = 2;

/// A poll of this length is shown: the tracer's own threshold.
const SLOW_POLL_MS: f64 = 100.0;

pub(crate) struct Report {
    url: String,
    kind: Kind,
    processes: Vec<Value>,
    traces: Vec<(String, Vec<Value>)>,
    violations: Vec<Value>,
}

/// What a dev agent has of our processes.
#[derive(Default)]
struct Seen {
    processes: Vec<Value>,
    traces: Vec<(String, Vec<Value>)>,
}

impl Report {
    /// Waits until the agent has what the load left.
    pub(crate) async fn gather(
        agent: &Agent,
        children: &Children,
        expected: Expected,
        patience: Duration,
    ) -> Outcome<Self> {
        let (url, kind) = (agent.url(), agent.kind());
        if kind == Kind::Host {
            let processes = children
                .all()
                .iter()
                .map(|child| json!({"pid": child.pid, "service": child.service.name(), "plugin": "rust"}));
            let processes = processes.collect();
            return Ok(Self {
                url,
                kind,
                processes,
                traces: Vec::new(),
                violations: Vec::new(),
            });
        }
        let query = Query::new(url.clone())?;
        let (seen, complete) = query
            .until(patience, async |query| {
                let seen = Seen::of(query, children).await?;
                let complete = seen.is_complete(children, expected);
                Ok((seen, complete))
            })
            .await?;
        if !complete {
            return Err(seen.lacks(expected, patience).into());
        }
        let violations = query.list("violations", "violations").await?;
        Ok(Self {
            url,
            kind,
            processes: seen.processes,
            traces: seen.traces,
            violations,
        })
    }

    pub(crate) fn json(&self) -> Value {
        let kind = if self.kind == Kind::Dev {
            "dev"
        } else {
            "host"
        };
        let traces = self
            .traces
            .iter()
            .map(|(id, spans)| json!({"id": id, "spans": spans}));
        let map = self.map();
        let services: Vec<_> = map
            .services
            .iter()
            .map(|service| service.name.clone())
            .collect();
        let edges = map
            .edges
            .iter()
            .map(|edge| json!({"from": edge.from, "to": edge.to, "calls": edge.calls}));
        let processes = self.processes.iter().map(|process| {
            json!({
                "pid": process.get("pid"), "service": process.get("service"), "plugin": process.get("plugin"),
                "snapshot": process.get("snapshot"), "metrics_count": process.get("metrics_count"),
            })
        });
        json!({
            "agent": {"url": self.url, "kind": kind},
            "processes": processes.collect::<Vec<_>>(),
            "traces": traces.collect::<Vec<_>>(),
            "map": {"services": services, "edges": edges.collect::<Vec<_>>()},
            "slow_polls": self.slow_polls().iter().map(SlowPoll::json).collect::<Vec<_>>(),
            "violations": self.violations,
        })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.write_processes(&mut text);
        if self.kind == Kind::Host {
            text += "\nThe agent forwards traces and metrics to Instana: open its Applications and\n\
                     Infrastructure views and look for the services above.\n";
            return text;
        }
        self.write_map(&mut text);
        self.write_slow_polls(&mut text);
        self.write_trees(&mut text);
        let _ = write!(
            text,
            "\n{}, {}\n",
            count(self.traces.len(), "trace", "traces"),
            count(
                self.violations.len(),
                "protocol violation",
                "protocol violations"
            )
        );
        for violation in &self.violations {
            let _ = writeln!(text, "  {}", breach(violation));
        }
        let _ = write!(
            text,
            "\nMore: `cargo run -p shop -- --json` prints every span; with `--serve` the shop stays up and\n\
             the agent answers at {}/dev. `cargo run -p instana-dev-agent` starts an agent that\n\
             prints the traces of your own services.\n",
            self.url
        );
        text
    }

    fn write_processes(&self, text: &mut String) {
        *text += "\nProcesses\n";
        let _ = writeln!(
            text,
            "  {:<12}{:>8}  {:<8}{:>8}{:>10}{:>9}{:>8}{:>10}",
            "service", "pid", "plugin", "cpu %", "rss MiB", "threads", "files", "reports"
        );
        for process in &self.processes {
            let metric = |path: &str| {
                process
                    .pointer(&format!("/metrics/{path}"))
                    .and_then(Value::as_f64)
            };
            let cpu = metric("cpu/user")
                .zip(metric("cpu/sys"))
                .map(|(user, system)| (user + system) * 100.0);
            let name = |key| {
                let name = process.get(key).and_then(Value::as_str);
                render::clean(name.unwrap_or("-"))
            };
            let _ = writeln!(
                text,
                "  {:<12}{:>8}  {:<8}{:>8}{:>10}{:>9}{:>8}{:>10}",
                name("service"),
                process
                    .get("pid")
                    .map_or_else(|| "-".to_owned(), Value::to_string),
                name("plugin"),
                number(cpu, 1),
                number(metric("mem/resident").map(|bytes| bytes / 1_048_576.0), 1),
                number(metric("threads"), 0),
                number(metric("openFiles/current"), 0),
                number(process.get("metrics_count").and_then(Value::as_f64), 0),
            );
        }
    }

    fn write_map(&self, text: &mut String) {
        let map = self.map();
        *text += "\nService map\n";
        for service in &map.services {
            let _ = writeln!(
                text,
                "  {:<12}{:>9}, {:.0} % with errors, {:.0} ms on average, {} ms at most, {}",
                render::clean(&service.name),
                calls(service.calls),
                service.error_rate() * 100.0,
                service.mean_ms,
                service.max_ms,
                count(service.instances, "instance", "instances")
            );
        }
        for edge in &map.edges {
            let _ = writeln!(
                text,
                "  {} → {}  {}, {} with errors",
                render::clean(&edge.from),
                render::clean(&edge.to),
                calls(edge.calls),
                edge.errors
            );
        }
    }

    /// Where a thread of a runtime was kept for too long: what poll timing found.
    fn write_slow_polls(&self, text: &mut String) {
        let slow = self.slow_polls();
        if !slow.is_empty() {
            *text += "\nBlocked threads\n";
        }
        for poll in slow {
            let _ = writeln!(
                text,
                "  {:<12}{}: one poll took {:.0} ms, in which its thread ran no other task",
                render::clean(&poll.service),
                render::clean(&poll.place),
                poll.millis
            );
        }
    }

    fn slow_polls(&self) -> Vec<SlowPoll> {
        let spans = self.traces.iter().flat_map(|(id, spans)| {
            let trace = Trace::of(id, spans, "");
            let spans = trace.spans().iter().filter_map(SlowPoll::of);
            spans.collect::<Vec<_>>()
        });
        spans.collect()
    }

    /// The trace with most spans, the slowest, one with an error, and an order's.
    fn write_trees(&self, text: &mut String) {
        *text += "\nTraces\n";
        let style = render::Style::of_stdout(!environment::no_color(), None);
        for trace in self.chosen() {
            let _ = writeln!(text, "{}", render::tree(&trace, style).trim_end());
            *text += "\n";
        }
        text.truncate(text.trim_end().len() + 1);
    }

    fn chosen(&self) -> Vec<Trace> {
        let mut traces: Vec<Trace> = self
            .traces
            .iter()
            .map(|(id, spans)| Trace::of(id, spans, ""))
            .collect();
        let mut chosen = Vec::new();
        let mut take = |rank: &dyn Fn(&Trace) -> (bool, u64)| {
            let best = (0..traces.len()).max_by_key(|at| traces.get(*at).map(rank));
            chosen.extend(best.map(|at| traces.swap_remove(at)));
        };
        take(&|trace| (trace.errors() == 0, trace.spans().len() as u64));
        take(&|trace| (trace.errors() == 0, trace.duration_ms()));
        take(&|trace| (failed(trace), trace.errors() as u64));
        if let Some(at) = traces.iter().position(is_order) {
            chosen.push(traces.swap_remove(at));
        }
        chosen
    }

    fn map(&self) -> ServiceMap {
        let traces: Vec<Trace> = self
            .traces
            .iter()
            .map(|(id, spans)| Trace::of(id, spans, ""))
            .collect();
        ServiceMap::of(&traces)
    }
}

/// A poll that took longer than one should.
struct SlowPoll {
    service: String,
    place: String,
    millis: f64,
}

impl SlowPoll {
    fn of(span: &TraceSpan) -> Option<Self> {
        let tag = span
            .value
            .pointer("/data/sdk/custom/tags/poll_longest_ms")?;
        let millis = tag.as_f64().filter(|millis| *millis >= SLOW_POLL_MS)?;
        Some(Self {
            service: span.service.clone(),
            place: span.label.clone(),
            millis,
        })
    }

    fn json(&self) -> Value {
        json!({"service": self.service, "place": self.place, "ms": self.millis})
    }
}

/// Whether the trace ended with a 500.
fn failed(trace: &Trace) -> bool {
    trace
        .root()
        .is_some_and(|root| root.status.starts_with('5'))
}

/// Whether the trace went through the queue.
fn is_order(trace: &Trace) -> bool {
    trace.spans().iter().any(|span| span.name == "kafka")
}

impl Seen {
    async fn of(query: &Query, children: &Children) -> Outcome<Self> {
        let mut seen = Self::default();
        let mut pids = Vec::new();
        for mut process in query.list("processes", "processes").await? {
            let sent = process.get("sentPid").and_then(Value::as_u64);
            let Some(child) = children
                .all()
                .iter()
                .find(|child| Some(u64::from(child.pid)) == sent)
            else {
                continue;
            };
            let pid = process
                .get("pid")
                .and_then(Value::as_u64)
                .unwrap_or_default();
            pids.push(pid.to_string());
            let metrics = query
                .list(&format!("processes/{pid}/metrics?limit=100"), "metrics")
                .await?;
            let latest = metrics.last().and_then(|body| body.get("metrics")).cloned();
            if let Some(object) = process.as_object_mut() {
                object.insert("service".to_owned(), child.service.name().into());
                object.insert(
                    "metrics_count".to_owned(),
                    object.get("metrics").cloned().unwrap_or_default(),
                );
                object.insert("metrics".to_owned(), latest.unwrap_or_default());
            }
            seen.processes.push(process);
        }
        let mut traces: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for span in query.list("spans?limit=100000", "spans").await? {
            let from = span.pointer("/f/e").and_then(Value::as_str);
            if from.is_some_and(|pid| pids.iter().any(|known| known == pid)) {
                let id = span
                    .get("t")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                traces.entry(id).or_default().push(span);
            }
        }
        seen.traces = traces.into_iter().collect();
        Ok(seen)
    }

    /// What did not arrive.
    fn lacks(&self, expected: Expected, patience: Duration) -> String {
        let spans: usize = self.traces.iter().map(|(_, spans)| spans.len()).sum();
        format!(
            "after {patience:?} the agent has {} processes, {} of {} traces and {spans} of {} spans; \
             is another program's load on this machine?",
            self.processes.len(),
            self.traces.len(),
            expected.traces,
            expected.spans
        )
    }

    fn is_complete(&self, children: &Children, expected: Expected) -> bool {
        let spans: usize = self.traces.iter().map(|(_, spans)| spans.len()).sum();
        let measured = self.processes.iter().filter(|process| {
            process
                .get("metrics_count")
                .and_then(Value::as_u64)
                .is_some_and(|count| count >= METRICS)
        });
        spans >= expected.spans
            && self.traces.len() >= expected.traces
            && measured.count() == children.all().len()
    }
}

/// A violation in a line: who, what, where, and why.
fn breach(violation: &Value) -> String {
    let part = |key| {
        violation
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let text = format!(
        "{} violates {} at {} ({}): {} [{}]",
        part("service"),
        part("rule"),
        part("at"),
        part("value"),
        part("message"),
        part("request")
    );
    render::clean(text.trim_start())
}

fn calls(number: u64) -> String {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    count(number, "call", "calls")
}

/// A number with so many decimals; a dash where there is none.
fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}
