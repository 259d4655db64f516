use super::*;

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
        Self::with(Tempo::default())
    }

    fn with(tempo: Tempo) -> Self {
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

#[test]
fn the_way_to_the_first_spans_takes_no_time() {
    let mut bench = Bench::new();
    let table = [
        (
            Phase::Searching,
            Action::Lookup,
            Event::Found { moved: false },
        ),
        (Phase::Announcing, Action::Announce, ANNOUNCED),
        (
            Phase::Waiting,
            Action::CheckReadiness,
            Event::Readiness(true),
        ),
        (
            Phase::Waiting,
            Action::SendMetrics { snapshot: true },
            Event::MetricsAccepted { snapshot: true },
        ),
        (
            Phase::Ready,
            Action::SendSpans,
            Event::SpansAccepted { drained: true },
        ),
    ];
    for (phase, action, event) in table {
        assert_eq!(bench.lifecycle.phase(), phase);
        bench.play(PENDING, 0, action, event);
    }
    let plain = Action::SendMetrics { snapshot: false };
    assert_eq!(bench.next(PENDING), (1000, plain));
}

#[test]
fn an_agent_that_appears_is_looked_for_within_a_second() {
    let mut bench = Bench::new();
    let mut times = Vec::new();
    // Two hours.
    while bench.now < ms(7_200_000) {
        let (at, action) = bench.next(PENDING);
        assert_eq!(action, Action::Lookup);
        times.push(at);
        // What a look may take.
        bench.now += ms(250);
        assert_eq!(bench.feed(Event::NotFound), None);
    }
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.iter().all(|pause| *pause <= 900), "{pauses:?}");
    assert!(pauses[4..].iter().all(|pause| *pause >= 800), "{pauses:?}");
    // It is announced to, and checked, as eagerly as a first one.
    let (at, _) = bench.next(PENDING);
    bench.feed(Event::Found { moved: false });
    bench.play(PENDING, at, Action::Announce, NOT_FOUND);
    bench.play(PENDING, at + 95, Action::Announce, ANNOUNCED);
    bench.play(
        PENDING,
        at + 95,
        Action::CheckReadiness,
        Event::Readiness(false),
    );
    bench.play(
        PENDING,
        at + 145,
        Action::CheckReadiness,
        Event::Readiness(true),
    );
}

#[test]
fn jitter_shortens_by_up_to_a_tenth() {
    for (jitter, delay) in [(0.0, 90), (0.5, 95), (1.0, 100), (-7.0, 90), (7.0, 100)] {
        let mut lifecycle = Lifecycle::new(Tempo::default());
        assert_eq!(lifecycle.next(ms(0), IDLE), Action::Lookup);
        lifecycle.feed(ms(0), Event::NotFound, jitter);
        assert_eq!(lifecycle.next(ms(0), IDLE), Action::Wait(ms(delay)));
        assert_eq!(lifecycle.next(ms(delay), IDLE), Action::Lookup);
    }
}

#[test]
fn every_fifth_refused_announce_is_followed_by_a_lookup() {
    for failure in [Failure::Malformed, Failure::Status(500)] {
        let mut bench = Bench::new();
        for _ in 0..3 {
            assert_eq!(bench.next(IDLE).1, Action::Lookup);
            bench.feed(Event::Found { moved: false });
            for _ in 0..5 {
                assert_eq!(bench.next(IDLE).1, Action::Announce);
                bench.feed(Event::AnnounceFailed(failure));
            }
        }
        assert_eq!(bench.lifecycle.phase(), Phase::Searching);
    }
}

#[test]
fn an_announce_that_no_agent_answers_is_followed_by_a_lookup() {
    for failure in [Failure::Foreign, Failure::Transport] {
        let mut bench = Bench::new();
        bench.play(IDLE, 0, Action::Lookup, Event::Found { moved: false });
        bench.play(IDLE, 0, Action::Announce, Event::AnnounceFailed(failure));
        assert_eq!(bench.next(IDLE), (95, Action::Lookup));
    }
}

#[test]
fn readiness_is_checked_sixty_times() {
    let mut bench = Bench::new();
    bench.play(IDLE, 0, Action::Lookup, Event::Found { moved: false });
    bench.play(IDLE, 0, Action::Announce, ANNOUNCED);
    let (mut changes, mut times) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        let (at, action) = bench.next(IDLE);
        assert_eq!(action, Action::CheckReadiness);
        times.push(at);
        changes.extend(bench.feed(Event::Readiness(false)));
    }
    assert_eq!(times[..8], [0, 50, 150, 350, 750, 1550, 2550, 3550]);
    assert_eq!(changes, [Change::NeverReady]);
    let last = times[59];
    assert_eq!(bench.next(IDLE), (last + 1000, Action::Announce));
}

#[test]
fn an_agent_that_goes_away_before_it_is_ready_is_announced_to_again() {
    let mut bench = Bench::new();
    bench.play(IDLE, 0, Action::Lookup, Event::Found { moved: false });
    bench.play(IDLE, 0, Action::Announce, ANNOUNCED);
    bench.play(IDLE, 0, Action::CheckReadiness, Event::ReadinessFailed);
    assert_eq!(bench.next(IDLE), (95, Action::Announce));
}

#[test]
fn ten_announces_answered_404_start_the_fallback() {
    let mut bench = Bench::new();
    let mut announces = 0;
    while !bench.lifecycle.is_fallback() {
        let (_, action) = bench.next(PENDING);
        let change = match action {
            Action::Lookup => bench.feed(Event::Found { moved: false }),
            Action::Announce => {
                announces += 1;
                bench.feed(NOT_FOUND)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(change.is_some(), announces == 10);
    }
    // Some seconds: an agent needs them to discover a process.
    let begun = bench.now.as_millis();
    assert!((5_000..10_000).contains(&begun), "{begun}");
    assert_eq!(bench.lifecycle.phase(), Phase::RawTrace);
    let sent = Event::SpansAccepted { drained: true };
    bench.play(PENDING, begun, Action::SendSpans, sent);
    // Announcing goes on beside the spans, with the lookup in between.
    let mut actions = Vec::new();
    while actions.len() < 6 {
        let (_, action) = bench.next(PENDING);
        actions.push(action);
        match action {
            Action::Lookup => bench.feed(Event::Found { moved: false }),
            Action::Announce => bench.feed(NOT_FOUND),
            Action::SendSpans => bench.feed(sent),
            other => panic!("{other:?}"),
        };
    }
    for action in [Action::Lookup, Action::Announce, Action::SendSpans] {
        assert!(actions.contains(&action), "{actions:?}");
    }
    // And ends the fallback when it succeeds.
    while bench.next(PENDING).1 != Action::Announce {
        bench.feed(sent);
    }
    bench.feed(ANNOUNCED);
    let at = bench.now.as_millis();
    assert_eq!(bench.lifecycle.phase(), Phase::Waiting);
    bench.play(PENDING, at, Action::CheckReadiness, Event::Readiness(true));
    let metrics = Action::SendMetrics { snapshot: true };
    let accepted = Event::MetricsAccepted { snapshot: true };
    bench.play(PENDING, at, metrics, accepted);
    bench.play(PENDING, at, Action::SendSpans, sent);
}

#[test]
fn only_404_in_a_row_through_one_agent_count() {
    let moved = Event::Found { moved: true };
    for interruption in [
        Event::AnnounceFailed(Failure::Transport),
        Event::AnnounceFailed(Failure::Status(500)),
        Event::AnnounceFailed(Failure::Malformed),
        ANNOUNCED,
        Event::NotFound,
        moved,
    ] {
        let mut lifecycle = Lifecycle::new(Tempo::default());
        for _ in 0..9 {
            assert_eq!(lifecycle.feed(ms(0), NOT_FOUND, 0.5), None);
        }
        lifecycle.feed(ms(0), interruption, 0.5);
        assert_eq!(
            lifecycle.feed(ms(0), NOT_FOUND, 0.5),
            None,
            "{interruption:?}"
        );
        assert!(!lifecycle.is_fallback());
    }
}

#[test]
fn a_lost_agent_ends_the_fallback() {
    let moved = Event::Found { moved: true };
    for (loss, change, next) in [
        (Event::NotFound, Some(Change::Lost), Action::Lookup),
        (moved, None, Action::Announce),
        (
            Event::AnnounceFailed(Failure::Transport),
            Some(Change::Lost),
            Action::Lookup,
        ),
        (
            failed(Failure::Transport),
            Some(Change::Lost),
            Action::Lookup,
        ),
        (
            failed(Failure::Unanswered),
            Some(Change::Lost),
            Action::Lookup,
        ),
    ] {
        let mut bench = Bench::new();
        for _ in 0..10 {
            bench.feed(NOT_FOUND);
        }
        assert!(bench.lifecycle.is_fallback());
        bench.lifecycle.failed_announces = 0;
        assert_eq!(bench.feed(loss), change, "{loss:?}");
        assert!(!bench.lifecycle.is_fallback());
        assert_eq!(bench.next(PENDING).1, next, "{loss:?}");
    }
    // An agent that answers anything is still there.
    let mut lifecycle = Lifecycle::new(Tempo::default());
    for _ in 0..10 {
        lifecycle.feed(ms(0), NOT_FOUND, 0.5);
    }
    for failure in [Failure::Status(500), Failure::Malformed] {
        lifecycle.feed(ms(0), Event::AnnounceFailed(failure), 0.5);
        assert!(lifecycle.is_fallback());
    }
}

#[test]
fn metrics_keep_to_the_grid_and_are_not_caught_up_with() {
    let mut bench = Bench::new();
    bench.connect();
    let plain = Action::SendMetrics { snapshot: false };
    let accepted = Event::MetricsAccepted { snapshot: false };
    // Late by 30 ms each time: the grid does not move.
    for second in 1..5 {
        assert_eq!(bench.next(IDLE), (second * 1000, plain));
        bench.now += ms(30);
        bench.feed(accepted);
    }
    // Suspended for an hour: one at once, the next on the grid.
    bench.now = ms(3_600_400);
    let (at, action) = bench.next(IDLE);
    assert_eq!(
        (at, action),
        (3_600_400, Action::SendMetrics { snapshot: true })
    );
    bench.feed(Event::MetricsAccepted { snapshot: true });
    assert_eq!(bench.next(IDLE), (3_601_000, plain));
}

#[test]
fn ticks_metrics_and_spans_wake_the_thread_once_a_second() {
    let mut bench = Bench::new();
    bench.now = ms(333);
    bench.connect();
    let mut waits = Vec::new();
    let mut done = [0; 3];
    while waits.len() < 5 {
        // Each exchange takes its time.
        bench.now += ms(2);
        match bench.lifecycle.next(bench.now, PENDING) {
            Action::Wait(until) => {
                waits.push(until.as_millis());
                bench.now = until;
            }
            Action::Tick => done[0] += 1,
            Action::SendMetrics { snapshot } => {
                done[1] += 1;
                bench.feed(Event::MetricsAccepted { snapshot });
            }
            Action::SendSpans => {
                done[2] += 1;
                bench.feed(Event::SpansAccepted { drained: true });
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits, [1333, 2333, 3333, 4333, 5333]);
    assert_eq!(done, [4, 4, 5], "the first spans went at once");
}

#[test]
fn the_poll_rate_is_honoured() {
    for (rate, second) in [(1, 1000), (5, 5000), (0, 1000)] {
        let mut bench = Bench::new();
        let metrics_interval = Duration::from_secs(rate);
        bench.play(IDLE, 0, Action::Lookup, Event::Found { moved: false });
        bench.play(
            IDLE,
            0,
            Action::Announce,
            Event::Announced { metrics_interval },
        );
        bench.play(IDLE, 0, Action::CheckReadiness, Event::Readiness(true));
        let metrics = Action::SendMetrics { snapshot: true };
        let accepted = Event::MetricsAccepted { snapshot: true };
        bench.play(IDLE, 0, metrics, accepted);
        let plain = Action::SendMetrics { snapshot: false };
        assert_eq!(bench.next(IDLE), (second, plain));
    }
}

#[test]
fn the_pause_between_lookups_can_be_set() {
    let mut bench = Bench::with(Tempo {
        retry: Some(ms(30_000)),
        ..Tempo::default()
    });
    for lookup in 0..5 {
        assert_eq!(bench.next(PENDING), (lookup * 30_000, Action::Lookup));
        bench.feed(Event::NotFound);
    }
}

#[test]
fn the_time_between_batches_of_spans_can_be_set() {
    for interval in [10, 1000, 5000] {
        let mut bench = Bench::with(Tempo {
            spans: ms(interval),
            ..Tempo::default()
        });
        bench.connect();
        let mut times = Vec::new();
        while times.len() < 4 {
            match bench.next(PENDING) {
                (at, Action::SendSpans) => {
                    times.push(at);
                    bench.feed(Event::SpansAccepted { drained: true });
                }
                (_, Action::SendMetrics { snapshot }) => {
                    bench.feed(Event::MetricsAccepted { snapshot });
                }
                (at, action) => panic!("{at}: {action:?}"),
            }
        }
        let expected = [0, 1, 2, 3].map(|number| number * u128::from(interval));
        assert_eq!(times, expected);
    }
}

#[test]
fn snapshots_every_ten_minutes_and_after_each_announce() {
    let mut bench = Bench::new();
    bench.connect();
    let mut snapshots = Vec::new();
    while bench.now < ms(1_300_000) {
        let (at, action) = bench.next(IDLE);
        let Action::SendMetrics { snapshot } = action else {
            panic!("{action:?}");
        };
        if snapshot {
            snapshots.push(at);
        }
        bench.feed(Event::MetricsAccepted { snapshot });
    }
    assert_eq!(snapshots, [600_000, 1_200_000]);
    let at = bench.next(IDLE).0;
    assert_eq!(bench.feed(Event::MetricsFailed), Some(Change::Lost));
    let snapshot = Action::SendMetrics { snapshot: true };
    bench.reconnect(at, snapshot, Event::MetricsAccepted { snapshot: true });
}

#[test]
fn an_agent_that_never_accepts_metrics_is_not_stormed() {
    let mut bench = Bench::new();
    bench.play(PENDING, 0, Action::Lookup, Event::Found { moved: false });
    let mut times = Vec::new();
    for _ in 0..100 {
        let (at, action) = bench.next(PENDING);
        assert_eq!(action, Action::Announce);
        times.push(at);
        bench.feed(ANNOUNCED);
        bench.play(PENDING, at, Action::CheckReadiness, Event::Readiness(true));
        let metrics = Action::SendMetrics { snapshot: true };
        assert_eq!(bench.play(PENDING, at, metrics, Event::MetricsFailed), None);
    }
    assert_eq!(times[..3], [0, 95, 285]);
    assert_eq!(times[99] - times[98], 9_500);
}

#[test]
fn a_lost_agent_is_eagerly_looked_for_again() {
    let mut bench = Bench::new();
    bench.connect();
    bench.now = ms(500_000);
    let (at, _) = bench.next(IDLE);
    assert_eq!(bench.feed(Event::MetricsFailed), Some(Change::Lost));
    let refused = Event::AnnounceFailed(Failure::Transport);
    bench.play(IDLE, at, Action::Announce, refused);
    bench.play(IDLE, at + 95, Action::Lookup, Event::NotFound);
    let found = Event::Found { moved: false };
    bench.play(IDLE, at + 285, Action::Lookup, found);
    assert_eq!(bench.next(IDLE), (at + 285, Action::Announce));
}

#[test]
fn spans_each_second_or_when_there_are_many() {
    let mut bench = Bench::new();
    bench.connect();
    let drained = Event::SpansAccepted { drained: true };
    bench.play(PENDING, 0, Action::SendSpans, drained);
    bench.now = ms(300);
    assert_eq!(
        bench.lifecycle.next(bench.now, PENDING),
        Action::Wait(SECOND)
    );
    let many = Demand {
        woken: true,
        ..PENDING
    };
    bench.play(many, 300, Action::SendSpans, drained);
    bench.play(
        PENDING,
        1000,
        Action::SendMetrics { snapshot: false },
        Event::MetricsAccepted { snapshot: false },
    );
    assert_eq!(bench.next(PENDING), (1000, Action::SendSpans));
}

#[test]
fn a_long_drain_leaves_room_for_the_metrics() {
    let mut bench = Bench::new();
    bench.connect();
    let more = Event::SpansAccepted { drained: false };
    let mut metrics = Vec::new();
    let mut batches = 0;
    while bench.now < ms(5000) {
        match bench.next(PENDING) {
            (at, Action::SendMetrics { snapshot }) => {
                metrics.push(at);
                bench.feed(Event::MetricsAccepted { snapshot });
            }
            (_, Action::SendSpans) => {
                batches += 1;
                bench.now += ms(100);
                bench.feed(more);
            }
            (_, other) => panic!("{other:?}"),
        }
    }
    assert_eq!(metrics, [1000, 2000, 3000, 4000]);
    assert_eq!(batches, 50);
}

#[test]
fn metrics_that_take_longer_than_their_interval_leave_room_for_the_spans() {
    let mut bench = Bench::new();
    bench.connect();
    let (mut metrics, mut batches) = (0, 0);
    while bench.now < ms(20_000) {
        match bench.next(PENDING) {
            (_, Action::SendMetrics { snapshot }) => {
                metrics += 1;
                bench.now += ms(1500);
                bench.feed(Event::MetricsAccepted { snapshot });
            }
            (_, Action::SendSpans) => {
                batches += 1;
                bench.feed(Event::SpansAccepted { drained: true });
            }
            (_, other) => panic!("{other:?}"),
        }
    }
    assert_eq!(metrics, 10, "every second time on the grid");
    assert!(batches >= metrics, "{batches}");
}

#[test]
fn refused_spans_are_sent_again_with_growing_delays() {
    for failure in [
        Failure::Transport,
        Failure::Status(404),
        Failure::Status(500),
    ] {
        let mut bench = Bench::new();
        bench.connect();
        let mut times = Vec::new();
        // Many new spans do not shorten the delay.
        let many = Demand {
            woken: true,
            ..PENDING
        };
        while times.len() < 7 {
            match bench.next(many) {
                (at, Action::SendSpans) => {
                    times.push(at);
                    assert_eq!(bench.feed(failed(failure)), None);
                }
                (_, Action::SendMetrics { snapshot }) => {
                    bench.feed(Event::MetricsAccepted { snapshot });
                }
                (_, other) => panic!("{other:?}"),
            }
        }
        assert_eq!(times, [0, 1000, 3000, 7000, 15_000, 25_000, 35_000]);
        assert_eq!(bench.lifecycle.phase(), Phase::Ready);
    }
}

#[test]
fn events_go_at_once_and_take_turns_with_spans() {
    let mut bench = Bench::new();
    let event = Demand {
        event: true,
        ..IDLE
    };
    let many = Demand {
        event: true,
        woken: true,
        ..PENDING
    };
    assert_eq!(
        bench.next(event),
        (0, Action::Lookup),
        "not before the announce"
    );
    bench.feed(Event::Found { moved: false });
    bench.reconnect(
        0,
        Action::SendMetrics { snapshot: true },
        Event::MetricsAccepted { snapshot: true },
    );
    let sent = Event::Delivered;
    let drained = Event::SpansAccepted { drained: true };
    bench.play(event, 0, Action::SendEvent, sent);
    bench.play(event, 0, Action::SendEvent, sent);
    bench.play(many, 0, Action::SendSpans, drained);
    bench.play(many, 0, Action::SendEvent, sent);
    bench.play(many, 0, Action::SendSpans, drained);
    assert_eq!(bench.lifecycle.next(ms(0), IDLE), Action::Wait(SECOND));
}

#[test]
fn refused_events_keep_no_spans_and_are_given_up_for_good_reasons_only() {
    for (failure, given_up) in [
        (Failure::Transport, false),
        (Failure::Status(503), false),
        (Failure::Status(400), true),
        (Failure::Status(404), true),
        (Failure::Malformed, true),
    ] {
        let mut bench = Bench::new();
        bench.connect();
        let both = Demand {
            event: true,
            ..PENDING
        };
        let (mut times, mut changes, mut spans) = (Vec::new(), Vec::new(), 0);
        while times.len() < 3 {
            match bench.next(both) {
                (at, Action::SendEvent) => {
                    times.push(at);
                    changes.push(bench.feed(Event::NotDelivered(failure)));
                }
                (_, Action::SendSpans) => {
                    spans += 1;
                    bench.feed(Event::SpansAccepted { drained: true });
                }
                (_, Action::SendMetrics { snapshot }) => {
                    bench.feed(Event::MetricsAccepted { snapshot });
                }
                (_, other) => panic!("{other:?}"),
            }
        }
        assert_eq!(times, [0, 1000, 3000], "{failure:?}");
        let last = given_up.then_some(Change::EventRejected);
        assert_eq!(changes, [None, None, last], "{failure:?}");
        assert!(spans >= 3, "{spans}");
    }
}

#[test]
fn metrics_and_events_go_on_while_spans_are_on_their_way() {
    let mut bench = Bench::new();
    bench.connect();
    let both = Demand {
        event: true,
        woken: true,
        ..PENDING
    };
    let sent = Event::Delivered;
    bench.play(both, 0, Action::SendEvent, sent);
    assert_eq!(bench.next(both), (0, Action::SendSpans));
    bench.play(both, 0, Action::SendEvent, sent);
    let plain = Action::SendMetrics { snapshot: false };
    let accepted = Event::MetricsAccepted { snapshot: false };
    for second in 1..6 {
        bench.play(PENDING, second * 1000, plain, accepted);
    }
    // Lost, and announced again: the answer may still come.
    let at = bench.next(PENDING).0;
    assert_eq!(bench.feed(Event::MetricsFailed), Some(Change::Lost));
    let snapshot = Action::SendMetrics { snapshot: true };
    bench.reconnect(at, snapshot, Event::MetricsAccepted { snapshot: true });
    assert_eq!(bench.next(PENDING), (at + 1000, plain));
    bench.feed(accepted);
    bench.feed(Event::SpansAccepted { drained: false });
    assert_eq!(bench.next(PENDING), (at + 1000, Action::SendSpans));
}

#[test]
fn smaller_batches_follow_at_once_and_single_spans_soon() {
    let mut bench = Bench::new();
    bench.connect();
    for (at, pace) in [
        (0, Pace::Now),
        (0, Pace::Now),
        (0, Pace::Soon),
        (50, Pace::Soon),
        (150, Pace::Now),
        (150, Pace::Soon),
        (350, Pace::Later),
    ] {
        let failure = Failure::TooLarge;
        let failed = Event::SpansFailed { failure, pace };
        assert_eq!(bench.play(PENDING, at, Action::SendSpans, failed), None);
    }
}

#[test]
fn a_flush_does_not_wait_for_retries() {
    let mut bench = Bench::new();
    bench.play(HURRIED, 0, Action::Lookup, Event::NotFound);
    bench.play(HURRIED, 50, Action::Lookup, Event::Found { moved: false });
    bench.play(HURRIED, 50, Action::Announce, NOT_FOUND);
    bench.play(HURRIED, 100, Action::Announce, ANNOUNCED);
    bench.play(
        HURRIED,
        100,
        Action::CheckReadiness,
        Event::Readiness(false),
    );
    bench.play(HURRIED, 150, Action::CheckReadiness, Event::Readiness(true));
    bench.play(
        HURRIED,
        150,
        Action::SendMetrics { snapshot: true },
        Event::MetricsAccepted { snapshot: true },
    );
    let again = failed(Failure::Transport);
    bench.play(HURRIED, 150, Action::SendSpans, again);
    bench.play(HURRIED, 200, Action::SendSpans, again);
    let drained = Event::SpansAccepted { drained: true };
    bench.play(HURRIED, 250, Action::SendSpans, drained);
    // What comes in meanwhile does not wait for the next second.
    bench.play(HURRIED, 250, Action::SendSpans, drained);
}

#[test]
fn ticks_every_second_without_catching_up() {
    let mut lifecycle = Lifecycle::new(Tempo::default());
    let mut ticks = Vec::new();
    for now in [
        0, 999, 1000, 1001, 1999, 2500, 2999, 3000, 9000, 9999, 10_000,
    ] {
        if lifecycle.next(ms(now), IDLE) == Action::Tick {
            ticks.push(now);
        }
    }
    assert_eq!(ticks, [1000, 2500, 3000, 9000, 10_000]);
}
