//! What comes at regular times: metrics, snapshots, ticks.

use super::*;

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
fn ticks_every_second_without_catching_up() {
    let mut lifecycle = Lifecycle::new(Intervals::default());
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
