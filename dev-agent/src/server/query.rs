//! `GET /dev/…`: the query API.

use serde_json::{Value, json};

use super::control::{Problem, number};
use crate::protocol::Incoming;
use crate::state::{State, View};
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
    ("GET /dev/notes", "accepted habits"),
    ("GET /dev/rules", "the rules"),
    (
        "GET /dev/events, /dev/logs, /dev/tracer-metrics",
        "what else arrived",
    ),
    ("GET /dev/requests?limit=", "request log"),
    (
        "GET /dev/wait?spans=&metrics=&processes=&events=&logs=&timeout_ms=",
        "answers when that many arrived",
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
    ("POST /dev/drop-connections", "all connections"),
    ("DELETE /dev/data", "what was collected"),
];

/// Answers a query.
pub(super) fn serve(state: &State, parts: &[&str], request: &Incoming) -> Result<Value, Problem> {
    let view = View::new(state);
    let limit = usize::try_from(number(request, "limit")?.unwrap_or(1000)).unwrap_or(usize::MAX);
    let findings = |list: Vec<crate::Finding>| -> Vec<Value> {
        list.iter().map(crate::Finding::to_json).collect()
    };
    Ok(match parts {
        [] => index(),
        ["status"] => status(state),
        ["processes"] => {
            let processes: Vec<_> = state
                .processes
                .iter()
                .map(crate::Process::to_json)
                .collect();
            json!({"processes": processes})
        }
        ["processes", pid] => process(state, pid)?.to_json(),
        ["processes", pid, "metrics"] => {
            let metrics = newest(
                process(state, pid)?
                    .metrics()
                    .iter()
                    .map(|body| Value::clone(body))
                    .collect(),
                limit,
            );
            json!({"metrics": metrics})
        }
        ["traces"] => traces(&view, limit, request),
        ["traces", id] => {
            let trace = view
                .trace(id)
                .ok_or_else(|| Problem::NotFound(format!("no trace has the id {id}")))?;
            trace.to_json()
        }
        ["spans"] => json!({"spans": newest(view.spans(), limit)}),
        ["map"] => view.service_map().to_json(),
        ["violations"] => json!({"violations": findings(view.violations()), "total": total(state)}),
        ["notes"] => json!({"notes": findings(view.notes()), "total": state.notes.total()}),
        ["rules"] => {
            let rules = Rule::ALL.iter();
            let rules: Vec<_> = rules
                .map(|rule| json!({"rule": rule.name(), "demands": rule.demands(), "heading": rule.heading()}))
                .collect();
            json!({"rules": rules})
        }
        ["events"] => json!({"events": newest(view.events(), limit)}),
        ["logs"] => json!({"logs": newest(view.logs(), limit)}),
        ["tracer-metrics"] => json!({"tracer_metrics": newest(view.tracer_metrics(), limit)}),
        ["requests"] => {
            let requests = view
                .requests()
                .iter()
                .map(crate::Request::to_json)
                .collect();
            json!({"requests": newest(requests, limit), "total": state.requests.total()})
        }
        ["faults"] => {
            let faults: Vec<_> = state
                .faults()
                .map(|(id, fault)| json!({"id": id, "fault": fault.to_json()}))
                .collect();
            json!({"faults": faults})
        }
        _ => {
            return Err(Problem::NotFound(format!(
                "{} is unknown; GET /dev lists what there is",
                request.path
            )));
        }
    })
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
        "spans": state.spans.len(), "span_bytes": state.spans.bytes(), "spans_dropped": state.spans.dropped(),
        "traces": state.spans.trace_count(), "violations": total(state), "notes": state.notes.total(),
        "requests": state.requests.total(), "events": state.events.total(), "logs": state.logs.total(),
        "otlp_dropped": state.otlp, "restarts": state.restarts, "connections_refused": state.refused,
    })
}

fn total(state: &State) -> u64 {
    state.violations.total() + state.links().len() as u64
}

fn process<'a>(state: &'a State, pid: &str) -> Result<&'a crate::Process, Problem> {
    let found = pid.parse().ok().and_then(|pid| state.processes.get(pid));
    found.ok_or_else(|| Problem::NotFound(format!("no process has the pid {pid}")))
}

fn traces(view: &View<'_>, limit: usize, request: &Incoming) -> Value {
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
    let mut ids = view.trace_ids();
    ids.reverse();
    let traces = ids.iter().filter_map(|id| view.trace(id)).filter(wanted);
    let traces: Vec<_> = traces.take(limit).map(|trace| trace.summary()).collect();
    json!({"traces": traces})
}

fn newest(mut list: Vec<Value>, limit: usize) -> Vec<Value> {
    let surplus = list.len().saturating_sub(limit);
    list.drain(..surplus);
    list
}
