//! Everything the agent keeps, bounded.

mod dropped;
mod notices;
mod process;
mod processes;
mod request;
mod shared;
mod view;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

pub use self::dropped::Dropped;
pub use self::notices::Notices;
use self::notices::Subscriber;
pub use self::process::Process;
pub(crate) use self::processes::Processes;
pub use self::request::Request;
pub(crate) use self::shared::Shared;
pub use self::view::View;
use crate::config::Config;
use crate::fault::{Fault, What};
use crate::map::ServiceMap;
use crate::memory::Memory;
use crate::notice::Notice;
use crate::protocol::{AnnounceAnswer, RequestKind};
use crate::store::{self, Ageing, Bounded, SpanRecord, SpanStore};
use crate::trace::Trace;
use crate::validate::{Finding, Report, links};

/// How many events, log lines and tracer metrics are kept of each.
const KEPT_VALUES: usize = 1000;
/// How many faults can be set at once.
const FAULTS: usize = 100;
/// How many agent requests wait for a process.
const QUEUED: usize = 100;
/// How many findings on links are remembered, so that each is reported once.
const REPORTED_LINKS: usize = 10_000;
/// How many traces are shown at once, so that requests do not wait for many.
const FINISHED: usize = 100;
/// How many foreign sites are reported.
const FOREIGN: usize = 16;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) memory: Memory,
    pub(crate) answer: AnnounceAnswer,
    pub(crate) reject_announces: u32,
    pub(crate) reject_ready: u32,
    pub(crate) processes: Processes,
    pub(crate) spans: SpanStore,
    pub(crate) events: Bounded<Arc<str>>,
    pub(crate) logs: Bounded<Arc<str>>,
    pub(crate) tracer_metrics: Bounded<Arc<str>>,
    pub(crate) requests: Bounded<Request>,
    pub(crate) violations: Bounded<Finding>,
    pub(crate) notes: Bounded<Finding>,
    /// Findings on links that subscribers know.
    reported_links: HashSet<String>,
    pub(crate) lookups: u64,
    pub(crate) restarts: u64,
    pub(crate) otlp: u64,
    /// Connections that were closed for new ones.
    pub(crate) closed: u64,
    /// Requests of web pages and for other hosts.
    pub(crate) foreign: u64,
    foreign_sites: Vec<String>,
    /// Items that were too large to be kept.
    pub(crate) too_large: u64,
    /// The bytes of unfinished bodies.
    bodies: usize,
    /// Unfinished bodies that were dropped.
    pub(crate) bodies_dropped: u64,
    ages: u64,
    next_seq: u64,
    next_fault: u64,
    faults: Vec<(u64, Fault)>,
    subscribers: Vec<Subscriber>,
}

impl State {
    pub(crate) fn new(config: Config) -> Self {
        let memory = Memory::new(config.memory);
        let processes = memory.total() / (256 * 1024);
        Self {
            memory,
            answer: config.answer.clone(),
            reject_announces: config.reject_announces,
            reject_ready: config.reject_ready,
            processes: Processes::new(config.processes.min(processes)),
            spans: SpanStore::new(),
            events: Bounded::new(KEPT_VALUES),
            logs: Bounded::new(KEPT_VALUES),
            tracer_metrics: Bounded::new(KEPT_VALUES),
            requests: Bounded::new(config.kept_requests),
            violations: Bounded::new(config.kept_findings),
            notes: Bounded::new(config.kept_findings),
            reported_links: HashSet::new(),
            lookups: 0,
            restarts: 0,
            otlp: 0,
            closed: 0,
            foreign: 0,
            foreign_sites: Vec::new(),
            too_large: 0,
            bodies: 0,
            bodies_dropped: 0,
            ages: 0,
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

    /// The age of something new: a number that grows.
    pub(crate) fn age(&mut self) -> u64 {
        self.ages += 1;
        self.ages
    }

    /// Sorts findings into violations and notes.
    pub(crate) fn record(&mut self, report: Report) {
        let service = report.pid().and_then(|pid| self.processes.get(pid));
        let service = service.map(Process::name);
        let (findings, violations, notes) = report.findings();
        for mut finding in findings {
            if finding.service.is_none() {
                finding.service.clone_from(&service);
            }
            let age = self.age();
            if finding.is_note() {
                self.notes.push(age, finding);
            } else {
                self.notify(&Notice::Violation(finding.clone()));
                self.violations.push(age, finding);
            }
        }
        self.violations.count(violations);
        self.notes.count(notes);
        self.make_room(0);
    }

    /// The agent restarts: no pid is known until it is announced again.
    pub(crate) fn forget(&mut self) {
        self.processes.forget();
        self.restarts += 1;
        self.notify(&Notice::Restarted);
    }

    /// Drops the collected data; processes stay known.
    pub(crate) fn clear(&mut self) {
        self.spans.clear();
        self.events.clear();
        self.logs.clear();
        self.tracer_metrics.clear();
        self.requests.clear();
        self.violations.clear();
        self.notes.clear();
        self.reported_links.clear();
        self.processes.clear_data();
    }

    /// Queues an agent request for a known process, if there is room.
    pub(crate) fn queue_request(&mut self, pid: u64, request: Value) -> bool {
        let queued = self.processes.queued() + crate::json::weight(&request);
        let room = queued <= self.memory.settings();
        let process = self.processes.get_mut(pid);
        let process =
            process.filter(|process| process.known && process.queued.len() < QUEUED && room);
        let queued = process.map(|process| process.queued.push(request));
        queued.is_some()
    }

    pub(crate) fn subscribe(&mut self) -> Notices {
        let (subscriber, notices) = Subscriber::new();
        self.subscribers.push(subscriber);
        notices
    }

    /// Hands a notice to subscribers; those that are gone are removed.
    pub(crate) fn notify(&mut self, notice: &Notice) {
        let age = self.age();
        self.subscribers
            .retain(|subscriber| subscriber.push(age, notice.clone()));
    }

    /// Whether there are subscribers, so that notices are worth building.
    pub(crate) fn has_subscribers(&self) -> bool {
        !self.subscribers.is_empty()
    }

    /// Counts a request of another site, and reports its name once.
    pub(crate) fn foreign(&mut self, header: &'static str, value: &str) {
        self.foreign += 1;
        let value: String = value.chars().take(200).collect();
        let site = format!("{header}: {value}");
        if self.foreign_sites.len() < FOREIGN && !self.foreign_sites.contains(&site) {
            self.foreign_sites.push(site);
            self.notify(&Notice::Refused { header, value });
        }
    }

    // Memory.

    /// Sets the bytes of unfinished bodies, and drops older data to make room for them.
    pub(crate) fn set_bodies(&mut self, bytes: usize) {
        let grown = bytes > self.bodies;
        self.bodies = bytes;
        if grown {
            self.make_room(0);
        }
    }

    /// The bytes of kept data that can be dropped.
    pub(crate) fn bytes(&self) -> usize {
        let lists = self.events.bytes()
            + self.logs.bytes()
            + self.tracer_metrics.bytes()
            + self.requests.bytes()
            + self.violations.bytes()
            + self.notes.bytes();
        let notices: usize = self.subscribers.iter().map(Ageing::bytes).sum();
        self.spans.bytes() + lists + self.processes.bytes() + notices
    }

    /// Drops the oldest data of any kind until there is room for `work` bytes.
    pub(crate) fn make_room(&mut self, work: usize) {
        let taken = self.bodies.saturating_add(work);
        let limit = self.memory.kept().saturating_sub(taken);
        let mut bytes = self.bytes();
        while bytes > limit {
            let mut lists: Vec<&mut dyn Ageing> = vec![
                &mut self.spans,
                &mut self.events,
                &mut self.logs,
                &mut self.tracer_metrics,
                &mut self.requests,
                &mut self.violations,
                &mut self.notes,
            ];
            let subscribers = self.subscribers.iter_mut();
            lists.extend(subscribers.map(|subscriber| subscriber as &mut dyn Ageing));
            lists.extend(self.processes.ageing());
            let mut ages: Vec<_> = lists
                .iter()
                .enumerate()
                .filter_map(|(index, list)| Some((list.oldest()?, index)))
                .collect();
            ages.sort_unstable();
            let Some((_, index)) = ages.first() else {
                return;
            };
            let until = ages.get(1).map_or(u64::MAX, |(age, _)| *age);
            let Some(list) = lists.get_mut(*index) else {
                return;
            };
            // The oldest items are mostly in one list, so several are dropped from it.
            while bytes > limit && list.oldest().is_some_and(|age| age <= until) {
                let before = list.bytes();
                list.drop_oldest();
                bytes = bytes.saturating_sub(before.saturating_sub(list.bytes()));
            }
        }
    }

    /// Counts of the data that was dropped to stay within the memory.
    pub(crate) fn dropped(&self) -> Dropped {
        let notices = self.subscribers.iter().map(Subscriber::missed);
        Dropped {
            spans: self.spans.dropped(),
            events: self.events.dropped() + self.logs.dropped() + self.tracer_metrics.dropped(),
            process_bodies: self.processes.dropped(),
            requests: self.requests.dropped(),
            findings: self.violations.dropped() + self.notes.dropped(),
            notices: notices.sum(),
            bodies: self.bodies_dropped,
            too_large: self.too_large,
        }
    }

    // Faults.

    pub(crate) fn add_fault(&mut self, fault: Fault) -> u64 {
        let room = self.memory.settings().saturating_sub(fault.weight());
        let weight = |faults: &[(u64, Fault)]| -> usize {
            faults.iter().map(|(_, fault)| fault.weight()).sum()
        };
        while self.faults.len() >= FAULTS
            || (!self.faults.is_empty() && weight(&self.faults) > room)
        {
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

    // Traces.

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
        let id = store::id(id);
        let (spans, _) = self.spans.trace(&id)?;
        Some(Trace::of_records(&id, &spans, |span| self.service(span)))
    }

    /// The part of a trace that is shown: if it was shown before, the spans since span
    /// number `shown`.
    pub(crate) fn shown_trace(&self, id: &str, shown: u64) -> Option<Trace> {
        let (spans, _) = self.spans.trace(id)?;
        let late = |span: &SpanRecord| shown > 0 && self.spans.number(span) >= shown;
        let limit = self.memory.tree() / 2;
        let service = |span: &SpanRecord| self.service(span);
        Some(Trace::excerpt(id, &spans, service, late, limit))
    }

    pub(crate) fn service_map(&self) -> ServiceMap {
        let ids = self.spans.trace_ids();
        let traces = ids.iter().filter_map(|id| Some(self.spans.trace(id)?.0));
        ServiceMap::of_records(traces, |span| self.service(span))
    }

    /// A trace as JSON that is no longer than an answer may be.
    pub(crate) fn trace_text(&self, id: &str) -> Option<String> {
        let id = store::id(id);
        let (spans, _) = self.spans.trace(&id)?;
        let service = |span: &SpanRecord| self.service(span);
        Some(Trace::text(&id, &spans, service, self.memory.answer() / 2))
    }

    /// Parent links of one trace, as they are now.
    fn links_of(&self, id: &str, report: &mut links::Links) {
        if let Some((spans, complete)) = self.spans.trace(id) {
            let rules = links::Rules {
                complete,
                root_exits: self.config.root_exits,
            };
            let service = |span: &SpanRecord| self.service(span);
            report.check(id, &spans, rules, service);
        }
    }

    /// The violations among the parent links of all traces as they are now: as
    /// many as are kept, and how many there are.
    pub(crate) fn links(&self) -> (Vec<Finding>, u64) {
        let mut report = links::Links::new(self.config.kept_findings);
        for id in self.spans.trace_ids() {
            self.links_of(&id, &mut report);
        }
        report.violations()
    }

    /// Shows some of the traces that are finished at `now`; returns when the next
    /// one may be, `now` if there are more. One without a root is given ten times
    /// as long.
    pub(crate) fn finish_traces(&mut self, now: Instant) -> Option<Instant> {
        let quiet = self.config.quiet_after;
        for _ in 0..FINISHED {
            let finished = match self.spans.finish(now, quiet) {
                Ok(finished) => finished,
                Err(next) => return next,
            };
            if !self.has_subscribers() {
                continue;
            }
            self.make_room(self.memory.tree());
            if let Some(trace) = self.shown_trace(&finished.id, finished.shown) {
                self.notify(&Notice::Trace(trace));
            }
            if self.spans.has_root(&finished.id) {
                self.notify_links(&finished.id);
            }
            self.make_room(0);
        }
        Some(now)
    }

    fn notify_links(&mut self, id: &str) {
        let mut report = links::Links::new(self.config.kept_findings);
        self.links_of(id, &mut report);
        let (violations, _) = report.violations();
        for finding in violations {
            if self.reported_links.len() >= REPORTED_LINKS {
                self.reported_links.clear();
            }
            let known = format!("{id} {} {}", finding.rule, finding.at);
            if self.reported_links.insert(known) {
                self.notify(&Notice::Violation(finding));
            }
        }
    }
}
