//! When spans and events are sent, and sent again.

use super::*;

#[test]
fn the_time_between_batches_of_spans_can_be_set() {
    for interval in [10, 1000, 5000] {
        let mut bench = Bench::with(Intervals {
            spans: ms(interval),
            ..Intervals::default()
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
        (Failure::Unanswered, true),
        (Failure::Cut, true),
        (Failure::Broken, false),
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
