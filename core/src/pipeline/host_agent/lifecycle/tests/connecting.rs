//! From the lookup to readiness, the fallback, and back.

use super::*;

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
        let mut lifecycle = Lifecycle::new(Intervals::default());
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
        let mut lifecycle = Lifecycle::new(Intervals::default());
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
    let mut lifecycle = Lifecycle::new(Intervals::default());
    for _ in 0..10 {
        lifecycle.feed(ms(0), NOT_FOUND, 0.5);
    }
    for failure in [Failure::Status(500), Failure::Malformed] {
        lifecycle.feed(ms(0), Event::AnnounceFailed(failure), 0.5);
        assert!(lifecycle.is_fallback());
    }
}

#[test]
fn the_pause_between_lookups_can_be_set() {
    let mut bench = Bench::with(Intervals {
        retry: Some(ms(30_000)),
        ..Intervals::default()
    });
    for lookup in 0..5 {
        assert_eq!(bench.next(PENDING), (lookup * 30_000, Action::Lookup));
        bench.feed(Event::NotFound);
    }
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
