//! `View`: a snapshot of the state for queries and waits.

use std::sync::Arc;

use serde_json::Value;

use super::{Dropped, Process, Request, State};
use crate::map::ServiceMap;
use crate::store::SpanRecord;
use crate::trace::Trace;
use crate::validate::Finding;

/// Of so many spans a summary counts the names.
const NAMED: usize = 2000;

/// The state of an agent at one moment, for [`crate::DevAgent::wait_until`].
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    state: &'a State,
}

impl<'a> View<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self { state }
    }

    /// The kept spans as they were sent, in order of arrival. Generic spans
    /// are converted to native ones.
    #[must_use]
    pub fn spans(&self) -> Vec<Value> {
        self.state.spans.iter().map(SpanRecord::value).collect()
    }

    /// How many spans are kept.
    #[must_use]
    pub fn span_count(&self) -> usize {
        self.state.spans.len()
    }

    /// Ids of the kept traces, oldest first.
    #[must_use]
    pub fn trace_ids(&self) -> Vec<String> {
        let ids = self.state.spans.trace_ids();
        ids.iter().map(|id| (**id).to_owned()).collect()
    }

    /// How many traces are kept.
    #[must_use]
    pub fn trace_count(&self) -> usize {
        self.state.spans.trace_count()
    }

    /// The trace of that id.
    #[must_use]
    pub fn trace(&self, id: &str) -> Option<Trace> {
        self.state.trace(id)
    }

    /// The kept traces, oldest first.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        let ids = self.state.spans.trace_ids();
        ids.iter().filter_map(|id| self.state.trace(id)).collect()
    }

    /// The processes by pid, also those that the agent has forgotten since.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        self.state.processes.iter().cloned().collect()
    }

    /// The process of that (answered) pid.
    #[must_use]
    pub fn process(&self, pid: u64) -> Option<&'a Process> {
        self.state.processes.get(pid)
    }

    /// The kept metrics bodies of a process, oldest first.
    #[must_use]
    pub fn metrics(&self, pid: u64) -> Vec<Arc<Value>> {
        self.process(pid).map(Process::metrics).unwrap_or_default()
    }

    /// The kept violations, and the current violations of parent links.
    #[must_use]
    pub fn violations(&self) -> Vec<Finding> {
        let mut violations = self.state.violations.to_vec();
        violations.extend(self.state.links().0);
        violations
    }

    /// The number of violations so far, and of current violations of parent links.
    #[must_use]
    pub fn violation_count(&self) -> u64 {
        self.state.violations.total() + self.state.links().1
    }

    /// The kept notes: accepted differences of the sending tracer.
    #[must_use]
    pub fn notes(&self) -> Vec<Finding> {
        self.state.notes.to_vec()
    }

    /// The kept requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.to_vec()
    }

    /// The kept events and monitoring events, oldest first (the newest 1000).
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        values(self.state.events.iter())
    }

    /// How many events and monitoring events arrived.
    #[must_use]
    pub fn event_count(&self) -> u64 {
        self.state.events.total()
    }

    /// The kept log lines, with `level`, oldest first (the newest 1000).
    #[must_use]
    pub fn logs(&self) -> Vec<Value> {
        values(self.state.logs.iter())
    }

    /// How many log lines arrived.
    #[must_use]
    pub fn log_count(&self) -> u64 {
        self.state.logs.total()
    }

    /// The kept bodies of `/tracermetrics`, oldest first (the newest 1000).
    #[must_use]
    pub fn tracer_metrics(&self) -> Vec<Value> {
        values(self.state.tracer_metrics.iter())
    }

    /// Counts of the data that was dropped to stay within the memory.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.state.dropped()
    }

    /// The services and the calls between them.
    #[must_use]
    pub fn service_map(&self) -> ServiceMap {
        self.state.service_map()
    }

    /// A few lines on what arrived so far.
    #[must_use]
    pub fn summary(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::new();
        let mut line = |text: String| {
            let _ = writeln!(out, "  {text}");
        };
        let names = self.state.spans.iter().rev().take(NAMED);
        let names: Vec<_> = names.map(SpanRecord::name).collect();
        let names: Vec<_> = names.iter().rev().map(String::as_str).collect();
        line(format!("{} spans {}", self.span_count(), counted(&names)));
        for process in self.state.processes.iter() {
            line(format!(
                "process {} ({}, {}): known {}, ready {}, {} announces, {} metrics, {} spans",
                process.pid,
                process.name(),
                process.plugin,
                process.known,
                process.ready,
                process.announces,
                process.metric_count,
                process.span_count,
            ));
        }
        let requests: Vec<_> = self
            .state
            .requests
            .iter()
            .map(|request| {
                let status = request
                    .status
                    .map_or("open".to_owned(), |status| status.to_string());
                format!("{} {status}", request.kind)
            })
            .collect();
        let texts: Vec<_> = requests.iter().map(String::as_str).collect();
        line(format!(
            "{} requests {}",
            self.state.requests.total(),
            counted(&texts)
        ));
        for violation in self.violations().iter().take(5) {
            line(format!("violation: {violation}"));
        }
        out
    }
}

fn values<'a>(texts: impl Iterator<Item = &'a Arc<str>>) -> Vec<Value> {
    texts
        .map(|text| serde_json::from_str(text).unwrap_or_default())
        .collect()
}

/// `(2 a, 1 b)`, in order of appearance.
fn counted(names: &[&str]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let parts: Vec<_> = counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    format!("({})", parts.join(", "))
}
