//! `GET /dev/…`: the query API.

use serde_json::{Value, json};

use super::control::{Problem, number};
use crate::protocol::Incoming;
use crate::state::State;
use crate::store::SpanRecord;
use crate::validate::Rule;

const INDEX: &[(&str, &str)] = &[
    ("GET /dev/status", "counts"),
    ("GET /dev/processes", "processes"),
    ("GET /dev/processes/{pid}", "one process"),
    (
        "GET /dev/processes/{pid}/metrics?limit=",
        "its metrics, newest last",
    ),
    (
        "GET /dev/traces?limit=&service=&errors=1",
        "traces, newest first",
    ),
    ("GET /dev/traces/{id}", "one trace as a tree"),
    ("GET /dev/spans?limit=", "spans as sent, newest last"),
    ("GET /dev/map", "service map"),
    ("GET /dev/violations", "breaches of the protocol"),
    ("GET /dev/notes", "accepted differences of other tracers"),
    ("GET /dev/rules", "the rules"),
    (
        "GET /dev/events, /dev/logs, /dev/tracer-metrics",
        "other received data",
    ),
    ("GET /dev/requests?limit=", "request log"),
    (
        "GET /dev/wait?spans=&metrics=&processes=&events=&logs=&timeout_ms=",
        "answers when that many have arrived",
    ),
    (
        "GET, POST, DELETE /dev/faults",
        "{on: {kind, method, pid}, what, times}",
    ),
    (
        "POST /dev/announce-answer",
        "{agentUuid, pidOffset, pids, secrets, extraHeaders, tracing, pollRate, members, raw}",
    ),
    ("POST /dev/reject", "{announces: n, ready: n}: answered 404"),
    (
        "POST /dev/requests/{pid}",
        "{action, messageId, args} for the process",
    ),
    ("POST /dev/forget", "agent restart: all pids unknown"),
    ("POST /dev/drop-connections", "drops all connections"),
    ("DELETE /dev/data", "drops all collected data"),
];

/// Answers a query. Lists have their newest items, as far as an answer may be long.
pub(super) fn serve(state: &State, parts: &[&str], request: &Incoming) -> Result<String, Problem> {
    let limit = usize::try_from(number(request, "limit")?.unwrap_or(1000)).unwrap_or(usize::MAX);
    let list = List {
        most: state.memory.answer() / 2,
        limit,
    };
    Ok(match parts {
        [] => index().to_string(),
        ["status"] => status(state).to_string(),
        ["processes", pid] => process(state, pid)?.to_json().to_string(),
        ["processes", pid, "metrics"] => {
            list.of("metrics", process(state, pid)?.metric_texts(), None)
        }
        ["traces"] => traces(state, &list, request),
        ["traces", id] => state
            .trace_text(id)
            .ok_or_else(|| Problem::NotFound(format!("no trace has the id {id}")))?,
        ["map"] => state.service_map().to_json().to_string(),
        ["rules"] => rules().to_string(),
        ["faults"] => faults(state).to_string(),
        [name] => listed(state, &list, name).ok_or_else(|| unknown(request))?,
        _ => return Err(unknown(request)),
    })
}

fn unknown(request: &Incoming) -> Problem {
    Problem::NotFound(format!(
        "{} is unknown; GET /dev lists what there is",
        request.path
    ))
}

/// The list of this name; `None` if there is no such list.
fn listed(state: &State, list: &List, name: &str) -> Option<String> {
    let total = |total: u64| Some(("total", total));
    Some(match name {
        "processes" => {
            let processes: Vec<_> = state.processes.iter().collect();
            let newest_first = processes.iter().rev().map(|process| process.to_json());
            list.of(name, newest_first, None)
        }
        "spans" => list.of(name, state.spans.iter().rev().map(SpanRecord::text), None),
        "violations" => {
            let (links, more) = state.links();
            let findings = links.iter().rev().chain(state.violations.iter().rev());
            let all = state.violations.total() + more;
            list.of(name, findings.map(crate::Finding::to_json), total(all))
        }
        "notes" => {
            let notes = state.notes.iter().rev().map(crate::Finding::to_json);
            list.of(name, notes, total(state.notes.total()))
        }
        "events" => list.of(name, state.events.iter().rev(), None),
        "logs" => list.of(name, state.logs.iter().rev(), None),
        "tracer-metrics" => list.of("tracer_metrics", state.tracer_metrics.iter().rev(), None),
        "requests" => {
            let requests = state.requests.iter().rev().map(crate::Request::to_json);
            list.of(name, requests, total(state.requests.total()))
        }
        _ => return None,
    })
}

fn rules() -> Value {
    let rules = Rule::ALL.iter();
    let rules: Vec<_> = rules
        .map(|rule| {
            json!({"rule": rule.name(), "demands": rule.demands(), "heading": rule.heading()})
        })
        .collect();
    json!({"rules": rules})
}

fn faults(state: &State) -> Value {
    let faults = state
        .faults()
        .map(|(id, fault)| json!({"id": id, "fault": fault.to_json()}));
    json!({"faults": faults.collect::<Vec<_>>()})
}

/// How long lists may be.
struct List {
    /// Bytes of an answer.
    most: usize,
    /// Items.
    limit: usize,
}

impl List {
    /// `{"<key>": […]}` of items that come newest first, oldest first.
    fn of(
        &self,
        key: &str,
        newest: impl Iterator<Item = impl ToString>,
        total: Option<(&str, u64)>,
    ) -> String {
        let (mut texts, cut) = self.texts(newest);
        texts.reverse();
        let total = total.map(|(name, total)| format!(",\"{name}\":{total}"));
        let total = total.unwrap_or_default();
        format!("{{\"{key}\":[{}]{total}{cut}}}", texts.join(","))
    }

    /// The same, newest first.
    fn newest_first(&self, key: &str, newest: impl Iterator<Item = impl ToString>) -> String {
        let (texts, cut) = self.texts(newest);
        format!("{{\"{key}\":[{}]{cut}}}", texts.join(","))
    }

    /// As many items as fit; an answer says if there are more.
    fn texts(&self, items: impl Iterator<Item = impl ToString>) -> (Vec<String>, &'static str) {
        let (mut texts, mut length) = (Vec::new(), 0);
        for item in items.take(self.limit) {
            let text = item.to_string();
            length += text.len() + 1;
            if length > self.most {
                return (texts, ",\"cut\":true");
            }
            texts.push(text);
        }
        (texts, "")
    }
}

fn index() -> Value {
    let paths: serde_json::Map<String, Value> = INDEX
        .iter()
        .map(|(path, what)| ((*path).to_owned(), (*what).into()))
        .collect();
    json!({"name": "instana-dev-agent", "paths": paths})
}

fn status(state: &State) -> Value {
    json!({
        "name": "instana-dev-agent", "version": env!("CARGO_PKG_VERSION"),
        "processes": state.processes.iter().filter(|process| process.known).count(),
        "memory": state.memory.total(), "bytes": state.bytes(), "dropped": state.dropped().to_json(),
        "spans": state.spans.len(),
        "traces": state.spans.trace_count(), "violations": total(state), "notes": state.notes.total(),
        "requests": state.requests.total(), "events": state.events.total(), "logs": state.logs.total(),
        "otlp_dropped": state.otlp, "restarts": state.restarts, "connections_closed": state.closed,
        "foreign_requests": state.foreign,
    })
}

fn total(state: &State) -> u64 {
    state.violations.total() + state.links().1
}

fn process<'a>(state: &'a State, pid: &str) -> Result<&'a crate::Process, Problem> {
    let found = pid.parse().ok().and_then(|pid| state.processes.get(pid));
    found.ok_or_else(|| Problem::NotFound(format!("no process has the pid {pid}")))
}

fn traces(state: &State, list: &List, request: &Incoming) -> String {
    let service = request
        .parameter("service")
        .filter(|service| !service.is_empty());
    let errors = request
        .parameter("errors")
        .is_some_and(|value| value != "0");
    let wanted = |trace: &crate::Trace| {
        let has = |service: &String| trace.services().contains(&service.as_str());
        service.as_ref().is_none_or(has) && (!errors || trace.errors() > 0)
    };
    let ids = state.spans.trace_ids();
    let traces = ids.iter().rev();
    let traces = traces.filter_map(|id| state.shown_trace(id, 0));
    let traces = traces.filter(wanted).map(|trace| trace.summary());
    list.newest_first("traces", traces)
}
