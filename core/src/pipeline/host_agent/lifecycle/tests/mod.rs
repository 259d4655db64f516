//! What is done when, with a clock that the tests set.

mod connecting;
mod deliveries;
mod metrics;

use crate::pipeline::host_agent::lifecycle::*;

const PENDING: Demand = Demand {
    pending: true,
    woken: false,
    event: false,
    hurry: false,
};
const IDLE: Demand = Demand {
    pending: false,
    woken: false,
    event: false,
    hurry: false,
};
const HURRIED: Demand = Demand {
    pending: true,
    woken: false,
    event: false,
    hurry: true,
};
const ANNOUNCED: Event = Event::Announced {
    metrics_interval: SECOND,
};
const NOT_FOUND: Event = Event::AnnounceFailed(Failure::Status(404));

fn failed(failure: Failure) -> Event {
    Event::SpansFailed {
        failure,
        pace: Pace::Later,
    }
}

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// A life cycle with its clock; ticks are taken silently.
struct Bench {
    lifecycle: Lifecycle,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        Self::with(Intervals::default())
    }

    fn with(tempo: Intervals) -> Self {
        Self {
            lifecycle: Lifecycle::new(tempo),
            now: Duration::ZERO,
        }
    }

    /// The next action and its time, waiting as long as it takes.
    fn next(&mut self, demand: Demand) -> (u128, Action) {
        for _ in 0..10_000 {
            match self.lifecycle.next(self.now, demand) {
                Action::Wait(until) => {
                    assert!(until > self.now, "a wait that does not wait");
                    self.now = until;
                }
                Action::Tick => {}
                action => return (self.now.as_millis(), action),
            }
        }
        panic!("no action");
    }

    /// No jitter: 0.5 is the middle.
    fn feed(&mut self, event: Event) -> Option<Change> {
        self.lifecycle.feed(self.now, event, 0.5)
    }

    /// Expects an action at a time (ms) and answers it; returns the change.
    fn play(&mut self, demand: Demand, at: u128, action: Action, event: Event) -> Option<Change> {
        assert_eq!(self.next(demand), (at, action));
        self.feed(event)
    }

    /// From the lookup to the first accepted metrics, at the present time.
    fn connect(&mut self) {
        let at = self.now.as_millis();
        let snapshot = Action::SendMetrics { snapshot: true };
        let accepted = Event::MetricsAccepted { snapshot: true };
        self.play(IDLE, at, Action::Lookup, Event::Found { moved: false });
        self.reconnect(at, snapshot, accepted);
    }

    fn reconnect(&mut self, at: u128, metrics: Action, accepted: Event) {
        self.play(IDLE, at, Action::Announce, ANNOUNCED);
        self.play(IDLE, at, Action::CheckReadiness, Event::Readiness(true));
        let change = self.play(IDLE, at, metrics, accepted);
        assert_eq!(change, Some(Change::Connected));
        assert_eq!(self.lifecycle.phase(), Phase::Ready);
    }
}
