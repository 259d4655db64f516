//! What goes on while requests are on their way.

use crate::pipeline::host_agent::lifecycle::*;

const ALL: Demand = Demand {
    pending: true,
    woken: true,
    event: true,
    hurry: false,
};
const PLAIN: Action = Action::SendMetrics { snapshot: false };

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

/// A life cycle whose first metrics were accepted at time zero.
fn connected() -> Lifecycle {
    let mut lifecycle = Lifecycle::new(Intervals::default());
    let announced = Event::Announced {
        metrics_interval: SECOND,
    };
    for event in [
        Event::Found { moved: false },
        announced,
        Event::Readiness(true),
        Event::MetricsAccepted { snapshot: true },
    ] {
        let action = lifecycle.next(ms(0), Demand::default());
        assert!(!matches!(action, Action::Wait(_)), "{event:?}");
        lifecycle.feed(ms(0), event, 0.5);
    }
    lifecycle
}

/// All actions of a time, ticks left out, until there is nothing to do.
fn actions(lifecycle: &mut Lifecycle, now: u64) -> Vec<Action> {
    let mut actions = Vec::new();
    loop {
        match lifecycle.next(ms(now), ALL) {
            Action::Wait(until) => {
                assert!(until > ms(now), "a wait that does not wait");
                return actions;
            }
            Action::Tick => {}
            action => actions.push(action),
        }
        assert!(actions.len() < 10, "{actions:?}");
    }
}

#[test]
fn each_is_sent_once_while_it_is_not_answered() {
    let mut lifecycle = connected();
    let both = [Action::SendEvent, Action::SendSpans];
    assert_eq!(actions(&mut lifecycle, 0), both);
    assert_eq!(actions(&mut lifecycle, 1_000), [PLAIN]);
    assert_eq!(actions(&mut lifecycle, 4_000), []);
    // An answer to one of them sets that one free.
    lifecycle.feed(ms(4_000), Event::Delivered, 0.5);
    assert_eq!(actions(&mut lifecycle, 4_000), [Action::SendEvent]);
    let drained = Event::SpansAccepted { drained: false };
    lifecycle.feed(ms(4_000), drained, 0.5);
    assert_eq!(actions(&mut lifecycle, 4_000), [Action::SendSpans]);
    lifecycle.feed(ms(4_000), Event::MetricsAccepted { snapshot: false }, 0.5);
    assert_eq!(actions(&mut lifecycle, 4_999), []);
    assert_eq!(actions(&mut lifecycle, 5_000), [PLAIN]);
}

#[test]
fn metrics_that_are_not_answered_keep_no_spans() {
    let mut lifecycle = connected();
    assert_eq!(lifecycle.next(ms(1_000), Demand::default()), Action::Tick);
    assert_eq!(lifecycle.next(ms(1_000), Demand::default()), PLAIN);
    for second in 1..5 {
        let now = second * 1_000;
        let sent = actions(&mut lifecycle, now);
        assert_eq!(sent, [Action::SendEvent, Action::SendSpans], "{second}");
        lifecycle.feed(ms(now), Event::SpansAccepted { drained: true }, 0.5);
        lifecycle.feed(ms(now), Event::Delivered, 0.5);
    }
    // Lost: announced once, however long that takes.
    let lost = lifecycle.feed(ms(5_000), Event::MetricsFailed, 0.5);
    assert_eq!(lost, Some(Change::Lost));
    assert_eq!(actions(&mut lifecycle, 5_000), [Action::Announce]);
    assert_eq!(actions(&mut lifecycle, 9_000), []);
}
