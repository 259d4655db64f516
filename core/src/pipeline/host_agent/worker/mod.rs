//! The one thread that talks to the agent: waits, asks the life cycle what to
//! do, begins it, and feeds the life cycle with what came of it.

use std::fmt;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::base::id::Generator;
use crate::pipeline::host_agent::http::Response;
use crate::pipeline::host_agent::lifecycle::{
    Action, Change, Demand, Event, Failure, Intervals, Lifecycle,
};
use crate::pipeline::host_agent::schedule::Pace;
use crate::pipeline::host_agent::session::Session;
use crate::pipeline::host_agent::size::{Sent, Sizes, Verdict};
use crate::pipeline::signal::{Signal, Woken};
use crate::pipeline::status::{AgentState, Phase};

use crate::base::log;
use crate::pipeline::housekeeping;
use crate::pipeline::port::{Batch, Encoded};
use crate::pipeline::transport::Feed;

/// The pause after a panic outside of an action.
const PANIC_PAUSE: Duration = Duration::from_secs(1);
/// While requests are on their way, flushes and the shutdown are noticed after this time at
/// the latest.
const SLICE: Duration = Duration::from_millis(50);

/// The agent thread's state.
pub(crate) struct Worker<'a> {
    session: Session,
    feed: Feed,
    signal: &'a Signal,
    state: &'a AgentState,
    lifecycle: Lifecycle,
    random: Generator,
    /// Zero of the life cycle's clock.
    started: Instant,
    /// How long there is nothing to do.
    wake: Instant,
    /// The action in progress, for a panic in it.
    running: Option<Action>,
    many_spans: bool,
    sizes: Sizes,
    flight: Option<Flight>,
    /// The announce, the check or the metrics that are on their way.
    main: Option<Action>,
    flush: Option<u64>,
    shutdown: Option<Instant>,
    /// Since the flush or the shutdown began: the source was emptied, or had
    /// nothing although it said so.
    drained: bool,
    nothing: bool,
}

/// The batch of spans whose answer is awaited.
#[derive(Clone, Copy, Debug)]
struct Flight {
    begun: Instant,
    bytes: usize,
    batch: Batch,
    /// It was encoded after the last flush had begun.
    is_of_flush: bool,
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("session", &self.session)
            .field("lifecycle", &self.lifecycle)
            .finish_non_exhaustive()
    }
}

impl<'a> Worker<'a> {
    /// A worker that has not started. `signal` and `state` are how the rest of
    /// the process reaches it.
    pub(crate) fn new(
        session: Session,
        intervals: Intervals,
        feed: Feed,
        signal: &'a Signal,
        state: &'a AgentState,
    ) -> Self {
        let now = Instant::now();
        Self {
            session,
            feed,
            signal,
            state,
            lifecycle: Lifecycle::new(intervals),
            random: Generator::unseeded(),
            started: now,
            wake: now,
            running: None,
            many_spans: false,
            sizes: Sizes::new(),
            flight: None,
            main: None,
            flush: None,
            shutdown: None,
            drained: false,
            nothing: false,
        }
    }

    /// Runs until the shutdown; true where nothing was left to send. A panic in one cycle
    /// ends that cycle only.
    pub(crate) fn run(mut self) -> bool {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.cycle())) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(nothing_left)) => return nothing_left,
                Err(_) => self.recover(),
            }
        }
    }

    /// One look at the world, and at most one action.
    fn cycle(&mut self) -> ControlFlow<bool> {
        let woken = self.wait();
        if let Some(until) = woken.shutdown {
            if Instant::now() >= until {
                // What has been answered counts.
                self.progress();
                return ControlFlow::Break(
                    !self.feed.spans.pending() && !self.feed.events.pending(),
                );
            }
        }
        self.notice(woken);
        self.progress();
        let (pending, event) = (self.feed.spans.pending(), self.feed.events.pending());
        if woken.shutdown.is_some() && (!pending || self.nothing) && !event {
            return ControlFlow::Break(!pending);
        }
        let mut hurry = woken.shutdown.is_some();
        if let Some(flush) = woken.flush {
            if (!pending || self.drained) && self.feed.events.is_flushed() {
                self.signal.complete(flush);
            } else {
                hurry = true;
            }
        }
        self.many_spans &= pending;
        let demand = Demand {
            pending,
            woken: self.many_spans,
            event,
            hurry,
        };
        match self.lifecycle.next(self.started.elapsed(), demand) {
            Action::Wait(until) => self.wake = self.started + until,
            action => {
                self.wake = Instant::now();
                self.perform(action);
            }
        }
        ControlFlow::Continue(())
    }

    /// Waits until there is something to do.
    fn wait(&mut self) -> Woken {
        if !self.session.is_busy() {
            return self.signal.wait(self.wake);
        }
        self.session.wait(self.wake.min(Instant::now() + SLICE));
        self.signal.look()
    }

    /// Lets the requests that are on their way go on, spans first.
    fn progress(&mut self) {
        self.progress_spans();
        self.progress_main();
        self.progress_event();
        self.session.progress_asides();
    }

    /// Takes in what other threads said.
    fn notice(&mut self, woken: Woken) {
        self.many_spans |= woken.spans;
        let flush_begins = woken.flush.is_some() && woken.flush != self.flush;
        let shutdown_begins = woken.shutdown.is_some() && self.shutdown.is_none();
        self.flush = woken.flush;
        self.shutdown = woken.shutdown;
        if flush_begins || shutdown_begins {
            self.drained = false;
            self.nothing = false;
            if let Some(flight) = &mut self.flight {
                flight.is_of_flush = false;
            }
            self.feed.events.begin_flush();
            self.feed.spans.tick();
            housekeeping::tick();
        }
    }

    fn perform(&mut self, action: Action) {
        self.running = Some(action);
        match action {
            Action::Announce | Action::CheckReadiness | Action::SendMetrics { .. } => {
                self.begin_main(action);
            }
            Action::Lookup => self.lookup(),
            Action::SendEvent => self.begin_event(),
            Action::SendSpans => self.begin_spans(),
            Action::Tick => self.tick(),
            Action::Wait(_) => {}
        }
        self.running = None;
    }

    /// The lookup blocks, for a part of a second.
    fn lookup(&mut self) {
        let begun = Instant::now();
        let event = self.session.lookup(self.shutdown);
        self.session.extend(begun.elapsed());
        self.running = None;
        self.feed(event);
    }

    fn feed(&mut self, event: Event) {
        let jitter = self.random.next() as f64 / u64::MAX as f64;
        let change = self.lifecycle.feed(self.started.elapsed(), event, jitter);
        if change == Some(Change::EventRejected) {
            self.feed.events.reject();
        }
        self.state.enter(self.lifecycle.phase());
        match change {
            Some(change) => self.session.log_change(change),
            None if event == Event::MetricsFailed => self.session.log_refused_metrics(),
            None => {}
        }
    }

    fn begin_main(&mut self, action: Action) {
        let until = self.shutdown;
        match action {
            Action::Announce => self.session.begin_announce(until),
            Action::SendMetrics { snapshot } => {
                let pid = self.session.announced().pid;
                let mut body = self.session.metrics_body();
                let _ = write!(body, "{{\"pid\":{pid},");
                self.feed.metrics.encode(snapshot, &mut body);
                body.push(b'}');
                self.session.begin_metrics(body, until);
            }
            _ => self.session.begin_readiness(until),
        }
        self.main = Some(action);
        self.progress_main();
    }

    fn progress_main(&mut self) {
        let Some(action) = self.main else {
            return;
        };
        self.running = Some(action);
        if let Some(result) = self.session.poll_main() {
            self.main = None;
            let event = match action {
                Action::Announce => self.announced(result),
                Action::SendMetrics { snapshot } => self.session.end_metrics(result, snapshot),
                _ => Session::end_readiness(&result),
            };
            self.running = None;
            self.feed(event);
        }
        self.running = None;
    }

    fn announced(&mut self, result: Result<Response, Failure>) -> Event {
        let before = self.session.announced().agent_uuid.clone();
        if let Err(failure) = self.session.end_announce(result) {
            return Event::AnnounceFailed(failure);
        }
        if self.session.announced().agent_uuid != before {
            // Another agent may take more.
            self.sizes = Sizes::new();
        }
        let applied = self.feed.settings.apply(&self.session.announced().settings);
        self.session.log_problems(&applied.problems);
        self.session.secrets(applied.secrets);
        Event::Announced {
            metrics_interval: applied.metrics_interval,
        }
    }

    fn begin_event(&mut self) {
        let Some(body) = self.feed.events.encode() else {
            return self.feed(Event::Delivered);
        };
        self.session.begin_event(body, self.shutdown);
        self.progress_event();
    }

    fn progress_event(&mut self) {
        self.running = Some(Action::SendEvent);
        if let Some(event) = self.session.poll_event() {
            if event == Event::Delivered {
                self.feed.events.acknowledge();
            }
            self.running = None;
            self.feed(event);
        }
        self.running = None;
    }

    fn begin_spans(&mut self) {
        self.many_spans = false;
        let fallback = self.lifecycle.is_fallback();
        let limits = self.sizes.limits(self.started.elapsed());
        let mut body = self.session.spans_body();
        let origin = self.session.origin(fallback);
        let batch = match self.feed.spans.encode(origin, &limits, &mut body) {
            Encoded::Batch(batch) => batch,
            Encoded::More => return self.feed(Event::SpansAccepted { drained: false }),
            Encoded::NoMemory => {
                return self.feed(Event::SpansFailed {
                    failure: Failure::Malformed,
                    pace: Pace::Later,
                });
            }
            Encoded::Nothing => {
                self.drained = true;
                self.nothing = true;
                return self.feed(Event::SpansAccepted { drained: true });
            }
        };
        self.flight = Some(Flight {
            begun: Instant::now(),
            bytes: body.len(),
            batch,
            is_of_flush: true,
        });
        let is_second = batch.is_second;
        self.session
            .begin_spans(body, is_second, fallback, self.shutdown);
        self.progress_spans();
    }

    /// Lets the spans that are on their way go on.
    fn progress_spans(&mut self) {
        let Some(flight) = self.flight else {
            return;
        };
        self.running = Some(Action::SendSpans);
        if let Some(outcome) = self.session.poll_spans() {
            self.flight = None;
            match outcome.result {
                Ok(()) => self.spans_accepted(flight, outcome.maybe_twice),
                Err(failure) => self.spans_failed(flight, failure, outcome.maybe_twice),
            }
        }
        self.running = None;
    }

    fn spans_accepted(&mut self, flight: Flight, maybe_twice: bool) {
        let Batch {
            is_last, is_second, ..
        } = flight.batch;
        self.feed.spans.acknowledge(maybe_twice || is_second);
        self.sizes.accepted(flight.bytes, flight.begun.elapsed());
        let drained = is_last || !self.feed.spans.pending();
        if drained {
            self.session.forget_spans_body();
        }
        self.drained |= drained && flight.is_of_flush;
        // What a flush waits for may have come meanwhile.
        let drained = drained && (flight.is_of_flush || self.flush.is_none());
        self.feed(Event::SpansAccepted { drained });
    }

    fn spans_failed(&mut self, flight: Flight, failure: Failure, is_resent: bool) {
        self.session.forget_spans_body();
        let sent = Sent {
            bytes: flight.bytes,
            spans: flight.batch.spans,
            is_second: flight.batch.is_second,
            is_resent,
        };
        let (verdict, pace) = self.sizes.refused(self.started.elapsed(), failure, sent);
        self.session.log_refused_spans(failure, verdict);
        self.feed(Event::SpansFailed { failure, pace });
        // At the end: the source may panic.
        match verdict {
            Verdict::Again => self.feed.spans.retry(),
            Verdict::Doubt => self.feed.spans.doubt(),
            Verdict::GiveUp(reason) => self.feed.spans.give_up(reason),
        }
    }

    fn tick(&mut self) {
        self.session.tick();
        self.feed.spans.tick();
        housekeeping::tick();
        self.session.keep_lines(&log::told());
        if self.lifecycle.phase() == Phase::Ready && self.shutdown.is_none() {
            self.session.log_line(self.started.elapsed());
        }
    }

    /// After a panic: the action has failed, the rest goes on.
    fn recover(&mut self) {
        self.state.update(|status| status.panics += 1);
        self.session.log_panic();
        let running = self.running.take();
        if let Some(Action::Announce | Action::CheckReadiness | Action::SendMetrics { .. }) =
            running
        {
            self.main = None;
            self.session.abandon_main();
        }
        let event = match running {
            Some(Action::Announce) => Event::AnnounceFailed(Failure::Malformed),
            Some(Action::CheckReadiness) => Event::ReadinessFailed,
            Some(Action::Lookup) => Event::NotFound,
            // The agent is not to blame, and spans have to go on without metrics.
            Some(Action::SendMetrics { .. }) => Event::MetricsAccepted { snapshot: false },
            Some(Action::SendSpans) => return self.recover_spans(),
            Some(Action::SendEvent) => {
                self.session.abandon_event();
                Event::NotDelivered(Failure::Malformed)
            }
            Some(Action::Tick | Action::Wait(_)) => return,
            // Between the actions no schedule keeps it from coming back at once.
            None => {
                self.wake = Instant::now() + PANIC_PAUSE;
                return;
            }
        };
        // The source may panic here again.
        drop(catch_unwind(AssertUnwindSafe(|| self.feed(event))));
    }

    /// After a panic while spans were encoded: they are given up after some times, for it
    /// would panic for ever.
    fn recover_spans(&mut self) {
        self.session.abandon_spans();
        let nothing = Batch {
            spans: 0,
            is_last: false,
            is_second: false,
        };
        let was_sent = self.flight.is_some();
        let flight = self.flight.take().unwrap_or(Flight {
            begun: Instant::now(),
            bytes: 0,
            batch: nothing,
            is_of_flush: false,
        });
        // The source may panic here again.
        let recovered =
            AssertUnwindSafe(|| self.spans_failed(flight, Failure::Malformed, was_sent));
        drop(catch_unwind(recovered));
    }
}

#[cfg(test)]
mod delivery_tests;
#[cfg(test)]
mod tests;
