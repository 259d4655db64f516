//! The end of a process: nothing lost with an agent, no waiting without one.

use std::time::Duration;

use instana_dev_agent::{Config, DevAgent, Fault, Matcher, RequestKind, What};

use crate::app::App;

const LONG: Duration = Duration::from_secs(30);

/// The guard's deadline, and time for the process itself on a busy machine.
const END: Duration = Duration::from_millis(2_000 + 1_000);

#[test]
fn the_guard_sends_what_is_left() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut sent = 0;
    for round in 1..=20 {
        let mut app = App::for_agent(&agent, &[], &[]);
        // Now and then the process ends before it was announced.
        if round % 2 == 0 {
            agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
        }
        assert_eq!(app.ask("entries 30"), "done");
        let (status, took) = app.stop();
        assert!(status.success());
        assert!(took < END, "round {round}: {took:?}");
        sent += 60;
        assert_eq!(
            agent.spans().len(),
            sent,
            "round {round}: all of them were there when the process ended"
        );
    }
    agent.assert_clean();
}

#[test]
fn a_hanging_agent_does_not_hold_the_process() {
    let agent = DevAgent::start(Config::new()).unwrap();
    for kind in [
        RequestKind::Lookup,
        RequestKind::Announce,
        RequestKind::Ready,
        RequestKind::Metrics,
        RequestKind::Traces,
    ] {
        agent.clear_faults();
        agent.fault(Fault::new(Matcher::kind(kind), What::Hang));
        let mut app = App::for_agent(&agent, &[], &[]);
        assert_eq!(app.ask("entries 10"), "done");
        let (status, took) = app.stop();
        assert!(status.success());
        assert!(took < END, "hanging at {kind:?}: {took:?}");
    }
}

#[test]
fn an_absent_agent_does_not_hold_the_process() {
    let mut app = App::start(&[], &[("INSTANA_AGENT_PORT", "1")]);
    assert_eq!(app.ask("entries 10"), "done");
    let (status, took) = app.stop();
    assert!(status.success());
    assert!(took < END, "{took:?}");
}

#[test]
fn a_process_without_spans_ends_at_once() {
    let app = App::start(&[], &[("INSTANA_AGENT_PORT", "1")]);
    let (status, took) = app.stop();
    assert!(status.success());
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_process_killed_while_it_sends_leaves_whole_spans_only() {
    let agent = DevAgent::start(Config::new()).unwrap();
    for _ in 0..5 {
        agent.fault(
            Fault::new(
                Matcher::kind(RequestKind::Traces),
                What::Delay(Duration::from_millis(50)),
            )
            .times(1),
        );
        let mut app = App::for_agent(&agent, &[], &[]);
        assert_eq!(app.ask("entries 3000"), "done");
        let before = agent.spans().len();
        agent
            .wait_until("the first posts", LONG, |view| {
                (view.span_count() > before).then_some(())
            })
            .unwrap();
        app.kill();
    }
    for span in agent.spans() {
        assert!(span["data"]["sdk"]["name"].is_string(), "{span}");
    }
}
