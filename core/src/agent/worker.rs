//! The one thread that talks to the agent: waits, asks the life cycle what to
//! do, does it, and tells the life cycle what came of it.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::agent::lifecycle::{Action, Change, Demand, Event, Failure, Lifecycle, Tempo};
use crate::agent::session::{Origin, Session};
use crate::agent::signal::{Signal, Woken};
use crate::agent::status::{AgentState, Phase};
use crate::config::Tree;
use crate::id::Generator;
use crate::secrets::Matcher;

/// A batch is full at 1000 spans or 5 MiB. One that is less than half full
/// shows that the source was empty when it was encoded.
const HALF_SPANS: usize = 500;
const HALF_BODY: usize = 5 * 1024 * 1024 / 2;
/// A buffer larger than this is given back after use.
const KEPT_BODY: usize = 1024 * 1024;
/// The pause after a panic outside of an action.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// Where the spans come from. Bounded by itself.
pub(crate) trait SpanSource: Send {
    /// Encodes the oldest spans not yet acknowledged as one JSON array into the
    /// empty `body`, below 5 MiB and 1000 spans; returns how many it took, of
    /// which rules may have left some out. Takes as many as fit: less than half of
    /// both limits means that there were no more. 0: there is nothing to send.
    fn encode(&mut self, origin: &Origin<'_>, body: &mut Vec<u8>) -> usize;
    /// The batch encoded last was accepted.
    fn acknowledge(&mut self);
    /// The batch encoded last was not accepted: encode it again next time.
    fn retry(&mut self);
    /// The batch encoded last is given up (counted).
    fn reject(&mut self);
    /// Whether anything waits to be sent.
    fn pending(&self) -> bool;
    /// Housekeeping: once a second, and when a flush or the shutdown begins.
    fn tick(&mut self);
}

/// Where the metrics come from.
pub(crate) trait MetricSource: Send {
    /// Encodes the body of one metrics POST into the empty `body`.
    fn encode(&mut self, pid: u64, snapshot: bool, body: &mut Vec<u8>);
}

/// Who acts on the agent's settings.
pub(crate) trait SettingsSink: Send {
    /// Called after each successful announce, before anything is sent.
    fn apply(&self, answer: &Tree) -> Applied;
}

/// What followed from the agent's settings.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    /// The time between two metrics.
    pub(crate) metrics_interval: Duration,
    /// Which keys are secret.
    pub(crate) secrets: Matcher,
    /// Settings of the agent that could not be used, in words.
    pub(crate) problems: Vec<String>,
}

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
    flush: Option<u64>,
    shutdown: Option<Instant>,
    /// Since the flush or the shutdown began: the source was emptied, or had
    /// nothing although it said so.
    drained: bool,
    nothing: bool,
    body: Vec<u8>,
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
        thread::Builder::new()
            .name("instana-agent".to_owned())
            .spawn(move || self.run())
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
        let woken = self.signal.wait(self.wake);
        if let Some(until) = woken.shutdown {
            if Instant::now() >= until {
                return ControlFlow::Break(!self.source.pending() && !self.session.has_event());
            }
        }
        self.notice(woken);
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
            self.session.begin_flush();
            self.source.tick();
        }
    }

    fn perform(&mut self, action: Action) {
        self.running = Some(action);
        let until = self.shutdown;
        let event = match action {
            Action::Announce => self.announce(),
            Action::CheckReadiness => self.session.readiness(until),
            Action::Lookup => self.session.lookup(until),
            Action::SendEvent => self.session.send_event(until),
            Action::SendMetrics { snapshot } => self.send_metrics(snapshot),
            Action::SendSpans => self.send_spans(),
            Action::Tick => {
                self.tick();
                self.running = None;
                return;
            }
            Action::Wait(_) => return,
        };
        self.running = None;
        self.feed(event);
    }

    fn feed(&mut self, event: Event) {
        let jitter = self.random.next() as f64 / u64::MAX as f64;
        let change = self.lifecycle.feed(self.started.elapsed(), event, jitter);
        if let Event::SpansFailed(_) = event {
            if change == Some(Change::BatchRejected) {
                self.source.reject();
            } else {
                self.source.retry();
            }
        }
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
        if let Err(failure) = self.session.announce(self.shutdown) {
            return Event::AnnounceFailed(failure);
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

    fn send_spans(&mut self) -> Event {
        self.many_spans = false;
        let fallback = self.lifecycle.is_fallback();
        let origin = self.session.origin(fallback);
        self.body.clear();
        let count = self.source.encode(&origin, &mut self.body);
        if count == 0 {
            self.drained = true;
            self.nothing = true;
            return Event::SpansAccepted { drained: true };
        }
        let small = count < HALF_SPANS && self.body.len() < HALF_BODY;
        let outcome = self.session.spans(&self.body, fallback, self.shutdown);
        if self.body.capacity() > KEPT_BODY {
            self.body = Vec::new();
        }
        if let Err(failure) = outcome {
            return Event::SpansFailed(failure);
        }
        self.source.acknowledge();
        let drained = small || !self.source.pending();
        self.drained |= drained;
        Event::SpansAccepted { drained }
    }

    fn tick(&mut self) {
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
            // Given up after three times: it would panic for ever.
            Some(Action::SendSpans) => Event::SpansFailed(Failure::Malformed),
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
