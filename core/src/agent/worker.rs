//! The one thread that talks to the agent: waits, asks the life cycle what to
//! do, does it, and tells the life cycle what came of it.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::agent::lifecycle::{Action, Change, Demand, Event, Failure, Lifecycle, Tempo};
use crate::agent::session::Session;
use crate::agent::signal::{Signal, Woken};
use crate::agent::size::{Sent, Sizes, Verdict};
use crate::agent::status::{AgentState, Phase};
use crate::id::Generator;
use crate::threads;

mod ports;

pub(crate) use self::ports::{Applied, Batch, MetricSource, SettingsSink, SpanSource};

/// The pause after a panic outside of an action.
const PANIC_PAUSE: Duration = Duration::from_secs(1);
/// While spans are on their way, flushes and the shutdown are noticed after this time at
/// the latest.
const SLICE: Duration = Duration::from_millis(50);

/// The agent thread's state.
pub(crate) struct Worker<S, M, T> {
    session: Session,
    source: S,
    metrics: M,
    settings: T,
    signal: Arc<Signal>,
    state: Arc<AgentState>,
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
    flush: Option<u64>,
    shutdown: Option<Instant>,
    /// Since the flush or the shutdown began: the source was emptied, or had
    /// nothing although it said so.
    drained: bool,
    nothing: bool,
    /// For metrics.
    body: Vec<u8>,
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

impl<S, M, T> fmt::Debug for Worker<S, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("session", &self.session)
            .field("lifecycle", &self.lifecycle)
            .finish_non_exhaustive()
    }
}

impl<S: SpanSource, M: MetricSource, T: SettingsSink> Worker<S, M, T> {
    /// A worker that has not started. `signal` and `state` are how the rest of
    /// the process reaches it.
    pub(crate) fn new(
        session: Session,
        source: S,
        metrics: M,
        settings: T,
        tempo: Tempo,
        signal: Arc<Signal>,
        state: Arc<AgentState>,
    ) -> Self {
        let now = Instant::now();
        Self {
            session,
            source,
            metrics,
            settings,
            signal,
            state,
            lifecycle: Lifecycle::new(tempo),
            random: Generator::unseeded(),
            started: now,
            wake: now,
            running: None,
            many_spans: false,
            sizes: Sizes::new(),
            flight: None,
            flush: None,
            shutdown: None,
            drained: false,
            nothing: false,
            body: Vec::new(),
        }
    }

    /// Starts the thread.
    pub(crate) fn spawn(self) -> io::Result<JoinHandle<()>>
    where
        S: 'static,
        M: 'static,
        T: 'static,
    {
        threads::spawn("instana-agent", move || self.run())
    }

    /// Runs until the shutdown. A panic in one cycle ends that cycle only.
    pub(crate) fn run(mut self) {
        let mut stop = StopGuard {
            signal: Arc::clone(&self.signal),
            state: Arc::clone(&self.state),
            nothing_left: false,
        };
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.cycle())) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(nothing_left)) => {
                    stop.nothing_left = nothing_left;
                    return;
                }
                Err(_) => self.recover(),
            }
        }
    }

    /// One look at the world and at most one exchange.
    fn cycle(&mut self) -> ControlFlow<bool> {
        let woken = self.wait();
        if let Some(until) = woken.shutdown {
            if Instant::now() >= until {
                return ControlFlow::Break(!self.source.pending() && !self.session.has_event());
            }
        }
        self.notice(woken);
        self.progress_spans();
        let (pending, event) = (self.source.pending(), self.session.has_event());
        if woken.shutdown.is_some() && (!pending || self.nothing) && !event {
            return ControlFlow::Break(!pending);
        }
        let mut hurry = woken.shutdown.is_some();
        if let Some(flush) = woken.flush {
            if (!pending || self.drained) && self.session.events_are_flushed() {
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
        if self.flight.is_none() {
            return self.signal.wait(self.wake);
        }
        let until = self.wake.min(Instant::now() + SLICE);
        self.session.wait_for_spans(until);
        self.signal.look()
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
            self.session.begin_flush();
            self.source.tick();
        }
    }

    fn perform(&mut self, action: Action) {
        self.running = Some(action);
        if action == Action::SendSpans {
            self.begin_spans();
            self.running = None;
            return;
        }
        let begun = self.flight.map(|_| Instant::now());
        let event = self.exchange(action);
        if let Some(begun) = begun {
            self.session.extend_spans(begun.elapsed());
        }
        self.running = None;
        if let Some(event) = event {
            self.feed(event);
        }
    }

    fn exchange(&mut self, action: Action) -> Option<Event> {
        let until = self.shutdown;
        Some(match action {
            Action::Announce => self.announce(),
            Action::CheckReadiness => self.session.readiness(until),
            Action::Lookup => self.session.lookup(until),
            Action::SendEvent => self.session.send_event(until),
            Action::SendMetrics { snapshot } => self.send_metrics(snapshot),
            Action::Tick => {
                self.tick();
                return None;
            }
            Action::SendSpans | Action::Wait(_) => return None,
        })
    }

    fn feed(&mut self, event: Event) {
        let jitter = self.random.next() as f64 / u64::MAX as f64;
        let change = self.lifecycle.feed(self.started.elapsed(), event, jitter);
        if change == Some(Change::EventRejected) {
            self.session.reject_event();
        }
        self.state.enter(self.lifecycle.phase());
        match change {
            Some(change) => self.session.tell(change),
            None if event == Event::MetricsFailed => self.session.tell_metrics_refused(),
            None => {}
        }
    }

    fn announce(&mut self) -> Event {
        let before = self.session.announced().agent_uuid.clone();
        if let Err(failure) = self.session.announce(self.shutdown) {
            return Event::AnnounceFailed(failure);
        }
        if self.session.announced().agent_uuid != before {
            // Another agent may take more.
            self.sizes = Sizes::new();
        }
        let applied = self.settings.apply(&self.session.announced().settings);
        self.session.tell_settings(&applied.problems);
        self.session.secrets(applied.secrets);
        Event::Announced {
            metrics_interval: applied.metrics_interval,
        }
    }

    fn send_metrics(&mut self, snapshot: bool) -> Event {
        let pid = self.session.announced().pid;
        self.body.clear();
        self.metrics.encode(pid, snapshot, &mut self.body);
        self.session.metrics(&self.body, snapshot, self.shutdown)
    }

    fn begin_spans(&mut self) {
        self.many_spans = false;
        let fallback = self.lifecycle.is_fallback();
        let limits = self.sizes.limits(self.started.elapsed());
        let mut body = self.session.spans_body();
        let origin = self.session.origin(fallback);
        let Some(batch) = self.source.encode(&origin, &limits, &mut body) else {
            self.drained = true;
            self.nothing = true;
            return self.feed(Event::SpansAccepted { drained: true });
        };
        self.flight = Some(Flight {
            begun: Instant::now(),
            bytes: body.len(),
            batch,
            is_of_flush: true,
        });
        self.session.begin_spans(body, fallback, self.shutdown);
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
                Err(failure) => self.spans_failed(flight, failure),
            }
        }
        self.running = None;
    }

    fn spans_accepted(&mut self, flight: Flight, maybe_twice: bool) {
        let Batch {
            is_last, is_second, ..
        } = flight.batch;
        self.source.acknowledge(maybe_twice || is_second);
        self.sizes.accepted(flight.bytes, flight.begun.elapsed());
        let drained = is_last || !self.source.pending();
        if drained {
            self.session.forget_spans_body();
        }
        self.drained |= drained && flight.is_of_flush;
        // What a flush waits for may have come meanwhile.
        let drained = drained && (flight.is_of_flush || self.flush.is_none());
        self.feed(Event::SpansAccepted { drained });
    }

    fn spans_failed(&mut self, flight: Flight, failure: Failure) {
        self.session.forget_spans_body();
        let sent = Sent {
            bytes: flight.bytes,
            spans: flight.batch.spans,
            is_second: flight.batch.is_second,
        };
        let (verdict, pace) = self.sizes.refused(self.started.elapsed(), failure, sent);
        self.session.tell_spans(failure, verdict);
        self.feed(Event::SpansFailed { failure, pace });
        // At the end: the source may panic.
        match verdict {
            Verdict::Again => self.source.retry(),
            Verdict::Doubt => self.source.doubt(),
            Verdict::GiveUp(reason) => self.source.give_up(reason),
        }
    }

    fn tick(&mut self) {
        self.session.tick();
        self.source.tick();
        if self.lifecycle.phase() == Phase::Ready && self.shutdown.is_none() {
            self.session.log_line(self.started.elapsed());
        }
    }

    /// After a panic: the action has failed, the rest goes on.
    fn recover(&mut self) {
        self.state.update(|status| status.panics += 1);
        self.session.tell_panic();
        self.session.disconnect();
        let event = match self.running.take() {
            Some(Action::Announce) => Event::AnnounceFailed(Failure::Malformed),
            Some(Action::CheckReadiness) => Event::ReadinessFailed,
            Some(Action::Lookup) => Event::NotFound,
            // The agent is not to blame, and spans have to go on without metrics.
            Some(Action::SendMetrics { .. }) => Event::MetricsAccepted { snapshot: false },
            Some(Action::SendSpans) => return self.recover_spans(),
            Some(Action::SendEvent) => Event::NotDelivered(Failure::Malformed),
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
        let flight = self.flight.take().unwrap_or(Flight {
            begun: Instant::now(),
            bytes: 0,
            batch: nothing,
            is_of_flush: false,
        });
        // The source may panic here again.
        let recovered = AssertUnwindSafe(|| self.spans_failed(flight, Failure::Malformed));
        drop(catch_unwind(recovered));
    }
}

/// Nobody waits for a thread that has ended, however it has.
struct StopGuard {
    signal: Arc<Signal>,
    state: Arc<AgentState>,
    nothing_left: bool,
}

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.state.enter(Phase::Stopped);
        self.signal.stop(self.nothing_left);
    }
}

#[cfg(test)]
mod tests;
