//! Everything the agent keeps, bounded.

mod bounded;
mod process;
mod processes;
mod request;
mod shared;
mod span_store;
mod view;

use std::collections::HashSet;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use serde_json::Value;

use self::bounded::Bounded;
pub use self::process::Process;
pub(crate) use self::processes::Processes;
pub use self::request::Request;
pub(crate) use self::shared::Shared;
pub(crate) use self::span_store::{SpanRecord, SpanStore, entity};
pub use self::view::View;
use crate::config::Config;
use crate::fault::{Fault, What};
use crate::notice::Notice;
use crate::protocol::{AnnounceAnswer, RequestKind};
use crate::trace::Trace;
use crate::validate::{Finding, links};

/// How many events, log lines and tracer metrics are kept of each.
const KEPT_VALUES: usize = 1000;
/// How many faults can be set at once.
const FAULTS: usize = 100;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) answer: AnnounceAnswer,
    pub(crate) reject_announces: u32,
    pub(crate) reject_ready: u32,
    pub(crate) processes: Processes,
    pub(crate) spans: SpanStore,
    pub(crate) events: Bounded<Value>,
    pub(crate) logs: Bounded<Value>,
    pub(crate) tracer_metrics: Bounded<Value>,
    pub(crate) requests: Bounded<Request>,
    pub(crate) violations: Bounded<Finding>,
    pub(crate) notes: Bounded<Finding>,
    /// Link findings that subscribers were told already.
    told: HashSet<(String, String)>,
    pub(crate) lookups: u64,
    pub(crate) restarts: u64,
    pub(crate) otlp: u64,
    /// Connections closed because there were too many.
    pub(crate) refused: u64,
    next_seq: u64,
    next_fault: u64,
    faults: Vec<(u64, Fault)>,
    subscribers: Vec<SyncSender<Notice>>,
}

impl State {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            answer: config.answer.clone(),
            reject_announces: config.reject_announces,
            reject_ready: config.reject_ready,
            processes: Processes::new(config.processes),
            spans: SpanStore::new(config.span_bytes),
            events: Bounded::new(KEPT_VALUES),
            logs: Bounded::new(KEPT_VALUES),
            tracer_metrics: Bounded::new(KEPT_VALUES),
            requests: Bounded::new(config.kept_requests),
            violations: Bounded::new(config.kept_findings),
            notes: Bounded::new(config.kept_findings),
            told: HashSet::new(),
            lookups: 0,
            restarts: 0,
            otlp: 0,
            refused: 0,
            next_seq: 0,
            next_fault: 0,
            faults: Vec::new(),
            subscribers: Vec::new(),
            config,
        }
    }

    /// Number of a new request, counted from 1.
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq
    }

    /// Sorts findings into violations and notes.
    pub(crate) fn record(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            if finding.rule.is_note_for(&finding.plugin) {
                self.notes.push(finding);
            } else {
                self.tell(&Notice::Violation(finding.clone()));
                self.violations.push(finding);
            }
        }
    }

    /// The agent restarts: no pid is known until it is announced again.
    pub(crate) fn forget(&mut self) {
        self.processes.forget();
        self.restarts += 1;
        self.tell(&Notice::Restarted);
    }

    /// Drops what was collected; processes stay known.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.events.clear();
        self.logs.clear();
        self.tracer_metrics.clear();
        self.requests.clear();
        self.violations.clear();
        self.notes.clear();
        self.told.clear();
        self.processes.clear_data();
    }

    pub(crate) fn subscribe(&mut self, sender: SyncSender<Notice>) {
        self.subscribers.push(sender);
    }

    /// Tells subscribers; a full one misses it, a closed one is removed.
    pub(crate) fn tell(&mut self, notice: &Notice) {
        use std::sync::mpsc::TrySendError::Disconnected;
        self.subscribers
            .retain(|sender| !matches!(sender.try_send(notice.clone()), Err(Disconnected(_))));
    }

    pub(crate) fn add_fault(&mut self, fault: Fault) -> u64 {
        if self.faults.len() == FAULTS {
            self.faults.remove(0);
        }
        self.next_fault += 1;
        self.faults.push((self.next_fault, fault));
        self.next_fault
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn faults(&self) -> impl Iterator<Item = &(u64, Fault)> {
        self.faults.iter()
    }

    /// The first fault that hits the request, counted down.
    pub(crate) fn take_fault(
        &mut self,
        kind: RequestKind,
        method: &str,
        pid: Option<u64>,
    ) -> Option<What> {
        let hit = |(_, fault): &(u64, Fault)| fault.on().matches(kind, method, pid);
        let index = self.faults.iter().position(hit)?;
        let (_, fault) = self.faults.get_mut(index)?;
        let what = fault.what().clone();
        if let Some(remaining) = fault.remaining() {
            *remaining = remaining.saturating_sub(1);
            if *remaining == 0 {
                self.faults.remove(index);
            }
        }
        Some(what)
    }

    /// The service name of a span without one.
    fn service(&self, span: &SpanRecord) -> String {
        let process = span.pid().and_then(|pid| self.processes.get(pid));
        match (process, span.pid()) {
            (Some(process), _) => process.name(),
            (None, Some(pid)) => format!("pid {pid}"),
            (None, None) => "unknown".to_owned(),
        }
    }

    pub(crate) fn trace(&self, id: &str) -> Option<Trace> {
        let (spans, _) = self.spans.trace(id)?;
        Some(Trace::of_records(id, &spans, |span| self.service(span)))
    }

    /// Parent links of one trace, as they are now.
    fn links_of(&self, id: &str) -> Vec<Finding> {
        let Some((spans, complete)) = self.spans.trace(id) else {
            return Vec::new();
        };
        let findings = links::check(id, &spans, complete, self.config.root_exits);
        let violation = |finding: &Finding| !finding.rule.is_note_for(&finding.plugin);
        findings.into_iter().filter(violation).collect()
    }

    /// Parent links of all traces, as they are now.
    pub(crate) fn links(&self) -> Vec<Finding> {
        let ids = self.spans.trace_ids();
        ids.iter().flat_map(|id| self.links_of(id)).collect()
    }

    /// Shows the traces that are finished at `now`; returns when the next one
    /// may be. One without a root is given ten times as long.
    pub(crate) fn finish_traces(&mut self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for (id, last) in self.spans.pending() {
            let Some(trace) = self.trace(&id) else {
                continue;
            };
            let patience = if trace.has_root() { 1 } else { 10 };
            let due = last + self.config.quiet_after * patience;
            if due > now {
                next = Some(next.map_or(due, |next| next.min(due)));
                continue;
            }
            self.spans.mark_shown(&id);
            let rooted = trace.has_root();
            self.tell(&Notice::Trace(trace));
            if rooted {
                self.tell_links(&id);
            }
        }
        next
    }

    fn tell_links(&mut self, id: &str) {
        if self.told.len() > 10_000 {
            self.told.clear();
        }
        for finding in self.links_of(id) {
            if self
                .told
                .insert((id.to_owned(), format!("{} {}", finding.rule, finding.at)))
            {
                self.tell(&Notice::Violation(finding));
            }
        }
    }
}
