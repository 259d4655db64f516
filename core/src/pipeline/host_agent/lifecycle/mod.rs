//! What the agent thread does when: a pure state machine over a virtual clock
//! (docs/PROTOCOL.md, "Life cycle").
//!
//! [`Lifecycle::next`] says what to do now, [`Lifecycle::feed`] takes what came
//! of it. Times are durations since the thread started.

use std::time::Duration;

use crate::pipeline::host_agent::schedule;
use crate::pipeline::host_agent::schedule::{Deliveries, HURRY, Pace, Retry, SECOND, next_on_grid};
use crate::pipeline::status::Phase;

mod step;

pub(crate) use self::step::{Action, Change, Demand, Event, Failure};

/// Failed announces before the agent is looked up again.
const ANNOUNCES_PER_LOOKUP: u32 = 5;
/// Announces answered 404 in a row before spans go to the raw-trace endpoint.
const NOT_FOUND_LIMIT: u32 = 10;
/// Readiness checks before the process is announced again.
const READINESS_TRIES: u32 = 60;
/// Time between two snapshots.
const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Announce,
    Lookup,
    Readiness { tries: u32 },
    Ready,
}

/// Times that are settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    /// Between two batches of spans.
    pub(crate) spans: Duration,
    /// Between two lookups; `None` is short at first, longer later.
    pub(crate) retry: Option<Duration>,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            spans: SECOND,
            retry: None,
        }
    }
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    lookup_delay: Option<Duration>,
    step: Step,
    /// When the step is tried next, and when it was tried last.
    due: Duration,
    tried: Duration,
    retry: Retry,
    /// The last lookup has found nothing.
    nobody: bool,
    failed_announces: u32,
    not_found: u32,
    fallback: bool,
    /// Metrics have been accepted since the announce: spans may follow.
    introduced: bool,
    metrics_interval: Duration,
    metrics_due: Duration,
    snapshot_due: Duration,
    tick_due: Duration,
    spans: Deliveries,
    /// A batch is on its way.
    in_flight: bool,
    /// An event is.
    has_event: bool,
    /// A step or the metrics are: there is one connection for both.
    is_busy: bool,
    events: Deliveries,
    /// An event was sent last: spans that are due come first.
    was_event: bool,
}

impl Lifecycle {
    /// The state at time zero: look for the agent.
    pub(crate) fn new(tempo: Intervals) -> Self {
        Self {
            lookup_delay: tempo.retry,
            step: Step::Lookup,
            due: Duration::ZERO,
            tried: Duration::ZERO,
            retry: Retry::from(Duration::ZERO),
            nobody: false,
            failed_announces: 0,
            not_found: 0,
            fallback: false,
            introduced: false,
            metrics_interval: SECOND,
            metrics_due: Duration::ZERO,
            snapshot_due: Duration::ZERO,
            tick_due: SECOND,
            spans: Deliveries::at(Duration::ZERO, tempo.spans),
            in_flight: false,
            has_event: false,
            is_busy: false,
            events: Deliveries::at(Duration::ZERO, SECOND),
            was_event: false,
        }
    }

    /// The state in the words of `instana::status()`.
    pub(crate) fn phase(&self) -> Phase {
        match self.step {
            _ if self.fallback => Phase::RawTrace,
            Step::Lookup => Phase::Searching,
            Step::Announce => Phase::Announcing,
            Step::Ready if self.introduced => Phase::Ready,
            Step::Readiness { .. } | Step::Ready => Phase::Waiting,
        }
    }

    /// Whether spans go to the raw-trace endpoint.
    pub(crate) fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// What to do at `now`. All but `Wait` and `Tick` are answered by [`feed`](Self::feed),
    /// sooner or later: the others go on meanwhile.
    pub(crate) fn next(&mut self, now: Duration, demand: Demand) -> Action {
        if now >= self.tick_due {
            self.tick_due = next_on_grid(self.tick_due, SECOND, now);
            return Action::Tick;
        }
        let mut until = self.tick_due;
        if !self.is_busy {
            let is_ready = self.step == Step::Ready;
            let due = if is_ready {
                self.metrics_due
            } else {
                self.step_due(demand)
            };
            if now >= due {
                self.is_busy = true;
                return if is_ready {
                    self.send_metrics(now)
                } else {
                    self.tried = now;
                    self.attempt()
                };
            }
            until = until.min(due);
        }
        if self.introduced || self.fallback {
            match self.delivery(now, demand) {
                Action::Wait(due) => until = until.min(due),
                action => return action,
            }
        }
        Action::Wait(until)
    }

    fn send_metrics(&mut self, now: Duration) -> Action {
        self.metrics_due = next_on_grid(self.metrics_due, self.metrics_interval, now);
        let snapshot = now >= self.snapshot_due;
        Action::SendMetrics { snapshot }
    }

    /// What to send, or when to look again. Spans and events take turns.
    fn delivery(&mut self, now: Duration, demand: Demand) -> Action {
        let due = |is_there: bool, due: Duration| if is_there { due } else { Duration::MAX };
        let has_event = demand.event && !self.has_event;
        let event = due(has_event, self.events.due(true, demand.hurry));
        let has_spans = demand.pending && !self.in_flight;
        let spans = due(has_spans, self.spans.due(demand.woken, demand.hurry));
        if now >= event && !(self.was_event && now >= spans) {
            self.was_event = true;
            self.has_event = true;
            self.events.sent(now);
            return Action::SendEvent;
        }
        if now >= spans {
            self.was_event = false;
            self.spans.sent(now);
            self.in_flight = true;
            return Action::SendSpans;
        }
        Action::Wait(event.min(spans))
    }

    /// Takes what came of the last action. `jitter` is between 0 and 1 and
    /// moves the delay of a retry by up to a tenth.
    pub(crate) fn feed(&mut self, now: Duration, event: Event, jitter: f64) -> Option<Change> {
        match event {
            Event::SpansAccepted { .. } | Event::SpansFailed { .. } => self.in_flight = false,
            Event::Delivered | Event::NotDelivered(_) => self.has_event = false,
            _ => self.is_busy = false,
        }
        match event {
            Event::Found { moved } => {
                if moved {
                    self.leave_fallback(now);
                }
                // An agent that has just come up is announced to as eagerly as at first.
                if std::mem::take(&mut self.nobody) {
                    self.retry = Retry::from(now);
                }
                self.failed_announces = 0;
                self.go(Step::Announce, now);
                None
            }
            Event::NotFound => {
                let lost = self.leave_fallback(now);
                self.nobody = true;
                let delay = match self.lookup_delay {
                    Some(delay) => delay,
                    None => self.retry.lookup(now, jitter),
                };
                self.go(Step::Lookup, self.tried + delay);
                lost
            }
            Event::Announced { metrics_interval } => {
                self.announced(now, metrics_interval);
                None
            }
            Event::AnnounceFailed(failure) => self.announce_failed(now, failure, jitter),
            Event::Readiness(true) => {
                self.go(Step::Ready, now);
                self.metrics_due = now;
                // On one grid: a process at rest is woken once a second.
                self.tick_due = now + SECOND;
                None
            }
            Event::Readiness(false) => self.not_ready(now),
            Event::ReadinessFailed => {
                self.retry_later(Step::Announce, now, jitter);
                None
            }
            Event::MetricsAccepted { snapshot } => self.metrics_accepted(now, snapshot),
            Event::MetricsFailed => self.metrics_failed(now, jitter),
            Event::SpansAccepted { drained } => {
                self.spans.accepted(now, drained);
                None
            }
            Event::SpansFailed { failure, pace } => self.spans_failed(now, failure, pace),
            Event::Delivered => {
                self.events.accepted(now, true);
                None
            }
            Event::NotDelivered(failure) => self.event_failed(now, failure),
        }
    }

    fn step_due(&self, demand: Demand) -> Duration {
        // In the fallback the spans get through, so there is no hurry.
        if demand.hurry && !self.fallback {
            self.due.min(self.tried + HURRY)
        } else {
            self.due
        }
    }

    fn attempt(&self) -> Action {
        match self.step {
            Step::Announce => Action::Announce,
            Step::Lookup => Action::Lookup,
            Step::Readiness { .. } | Step::Ready => Action::CheckReadiness,
        }
    }

    fn go(&mut self, step: Step, due: Duration) {
        self.step = step;
        self.due = due;
    }

    fn retry_later(&mut self, step: Step, now: Duration, jitter: f64) {
        let delay = self.retry.announce(now, jitter);
        self.go(step, now + delay);
    }

    fn announced(&mut self, now: Duration, metrics_interval: Duration) {
        self.failed_announces = 0;
        self.not_found = 0;
        self.fallback = false;
        self.introduced = false;
        self.metrics_interval = metrics_interval.max(SECOND);
        // Without this an agent that was restarted would not know our name for
        // ten minutes (docs/PROTOCOL.md, "Loss").
        self.snapshot_due = now;
        self.restart_deliveries(now);
        self.go(Step::Readiness { tries: 0 }, now);
    }

    fn announce_failed(&mut self, now: Duration, failure: Failure, jitter: f64) -> Option<Change> {
        let mut change = None;
        match failure {
            Failure::Status(404) => self.not_found = self.not_found.saturating_add(1),
            Failure::Malformed | Failure::Status(_) | Failure::TooLarge | Failure::Unreadable => {
                self.not_found = 0;
            }
            Failure::Broken
            | Failure::Cut
            | Failure::Foreign
            | Failure::Transport
            | Failure::Unanswered => {
                // It may be somewhere else by now.
                self.failed_announces = ANNOUNCES_PER_LOOKUP;
                change = self.leave_fallback(now);
            }
        }
        if self.not_found >= NOT_FOUND_LIMIT && !self.fallback {
            self.fallback = true;
            self.restart_deliveries(now);
            change = Some(Change::FallbackStarted);
        }
        self.failed_announces = self.failed_announces.saturating_add(1);
        let mut step = Step::Announce;
        if self.failed_announces >= ANNOUNCES_PER_LOOKUP {
            self.failed_announces = 0;
            step = Step::Lookup;
        }
        self.retry_later(step, now, jitter);
        change
    }

    fn restart_deliveries(&mut self, now: Duration) {
        self.spans.restart(now);
        self.events.restart(now);
    }

    fn not_ready(&mut self, now: Duration) -> Option<Change> {
        let tries = match self.step {
            Step::Readiness { tries } => tries + 1,
            _ => 1,
        };
        if tries < READINESS_TRIES {
            self.go(Step::Readiness { tries }, now + schedule::readiness(tries));
            return None;
        }
        self.go(Step::Announce, now + SECOND);
        Some(Change::NeverReady)
    }

    fn metrics_accepted(&mut self, now: Duration, snapshot: bool) -> Option<Change> {
        if snapshot {
            self.snapshot_due = now + SNAPSHOT_INTERVAL;
        }
        // An agent that answers slower than they are due would get no spans.
        self.metrics_due = next_on_grid(self.metrics_due, self.metrics_interval, now);
        if self.introduced {
            return None;
        }
        self.introduced = true;
        // At once, then on the grid of the metrics.
        self.restart_deliveries(self.metrics_due.saturating_sub(self.metrics_interval));
        Some(Change::Connected)
    }

    /// Any failure of the metrics means that the agent has forgotten us
    /// (docs/PROTOCOL.md, "Loss"). One that never accepted any is not hurried.
    fn metrics_failed(&mut self, now: Duration, jitter: f64) -> Option<Change> {
        if self.introduced {
            self.introduced = false;
            self.retry = Retry::from(now);
            self.go(Step::Announce, now);
            return Some(Change::Lost);
        }
        self.retry_later(Step::Announce, now, jitter);
        None
    }

    fn spans_failed(&mut self, now: Duration, failure: Failure, pace: Pace) -> Option<Change> {
        self.spans.refused(now, pace);
        let lost = failure
            .is_loss()
            .then(|| self.leave_fallback(now))
            .flatten()?;
        self.go(Step::Lookup, now);
        Some(lost)
    }

    fn event_failed(&mut self, now: Duration, failure: Failure) -> Option<Change> {
        let is_for_good = matches!(
            failure,
            Failure::Cut
                | Failure::Malformed
                | Failure::Status(400..=499)
                | Failure::TooLarge
                | Failure::Unanswered
                | Failure::Unreadable
        );
        if is_for_good {
            let given_up = self.events.refused_for_good(now);
            return given_up.then_some(Change::EventRejected);
        }
        self.events.refused(now, Pace::Later);
        None
    }

    /// The agent that the fallback counted on is gone or another one: count anew.
    fn leave_fallback(&mut self, now: Duration) -> Option<Change> {
        self.not_found = 0;
        if !self.fallback {
            return None;
        }
        self.fallback = false;
        self.retry = Retry::from(now);
        Some(Change::Lost)
    }
}

#[cfg(test)]
mod busy_tests;
#[cfg(test)]
mod tests;
