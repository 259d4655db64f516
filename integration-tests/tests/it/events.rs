//! Events on their way to the agent.

use std::time::Duration;

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent, Fault, Matcher, RequestKind, What};
use serde_json::{Value, json};

use crate::app::App;

const LONG: Duration = Duration::from_secs(30);

/// The guard's deadline, and time for the process itself on a busy machine.
const END: Duration = Duration::from_millis(2_000 + 1_000);

fn agent() -> DevAgent {
    DevAgent::start(Config::new()).unwrap()
}

fn titles(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["title"].as_str().unwrap())
        .collect()
}

#[test]
fn each_kind_has_the_form_that_the_agent_knows() {
    let answer = AnnounceAnswer::new().secrets("equals", ["key"]);
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    agent.stop();
    let mut app = App::for_agent(&agent, &[], &[("INSTANA_SERVICE_NAME", "shop")]);
    // What the agent calls secret is known later.
    assert_eq!(app.ask("events"), "done");
    assert_eq!(app.ask("event-counts"), "0 3 0");
    agent.restart().unwrap();
    let events = agent.wait_for_events(3, LONG).unwrap();
    let plugin = "com.instana.forge.connection.http.logical.LogicalWebApp";
    assert_eq!(
        events,
        [
            json!({
                "title": "Cache cold",
                "text": "warm-up of https://<redacted>:<redacted>@cache/ with key=<redacted> took *long*",
                "severity": 5, "duration": 4200, "timestamp": 1_700_000_000_123_u64,
                "host": "", "plugin": plugin, "id": "shop",
            }),
            json!({
                "title": "Disk full", "text": "", "severity": 10, "duration": 0,
                "timestamp": 1_700_000_000_123_u64, "host": "",
            }),
            json!({
                "title": "Deployed 1.2.3", "text": "", "severity": -1, "duration": 0,
                "timestamp": 1_700_000_000_123_u64,
                "host": "", "plugin": plugin, "id": "other",
            }),
        ]
    );
    app.flush();
    assert_eq!(app.ask("event-counts"), "3 0 0");
    let requests = agent.requests();
    let posts: Vec<_> = requests
        .iter()
        .filter(|request| request.kind == RequestKind::Event)
        .map(|request| (request.method.as_str(), request.path.as_str()))
        .collect();
    assert_eq!(posts, [("POST", "/com.instana.plugin.generic.event"); 3]);
    agent.assert_clean();
}

#[test]
fn what_waits_is_sent_when_the_process_ends() {
    let agent = agent();
    for round in 1..=5 {
        let mut app = App::for_agent(&agent, &[], &[]);
        assert_eq!(app.ask("events 10"), "done");
        let (status, took) = app.stop();
        assert!(status.success() && took < END, "round {round}: {took:?}");
        assert_eq!(agent.events().len(), round * 10, "round {round}");
    }
    agent.assert_clean();
}

#[test]
fn an_agent_that_hangs_at_events_holds_neither_spans_nor_the_process() {
    let agent = agent();
    agent.fault(Fault::new(Matcher::kind(RequestKind::Event), What::Hang));
    let timeout = [("INSTANA_AGENT_REQUEST_TIMEOUT", "300")];
    let mut app = App::for_agent(&agent, &[], &timeout);
    assert_eq!(app.ask("events 3"), "done");
    assert_eq!(app.ask("entries 5"), "done");
    agent.wait_for_spans(10, LONG).unwrap();
    let (status, took) = app.stop();
    assert!(status.success());
    assert!(took < END, "{took:?}");
}

#[test]
fn events_of_a_flood_are_bounded_counted_and_later_than_no_span() {
    let agent = agent();
    agent.stop();
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask("events 1000"), "done");
    assert_eq!(app.ask("event-counts"), "0 256 744");
    let status = app.ask("status");
    assert!(
        status.contains("events     0 sent, 256 waiting, 744 dropped (744 no room"),
        "{status}"
    );
    assert_eq!(app.ask("entries 1"), "done");
    agent.restart().unwrap();
    let events = agent.wait_for_events(256, LONG).unwrap();
    let titles = titles(&events);
    assert_eq!((titles[0], titles[255]), ("event 744", "event 999"));
    agent.wait_for_spans(2, LONG).unwrap();
    let requests = agent.requests();
    let kinds = requests.iter().map(|request| request.kind);
    let early = kinds
        .take_while(|kind| *kind != RequestKind::Traces)
        .filter(|kind| *kind == RequestKind::Event)
        .count();
    // Spans have a connection of their own: events go on while it is made.
    assert!(early < 128, "{early} events before the spans");
    agent.assert_clean();
}

#[test]
fn events_that_the_agent_refuses_are_given_up_and_counted() {
    let agent = agent();
    let refused = Fault::new(Matcher::kind(RequestKind::Event), What::Status(400)).times(3);
    agent.fault(refused);
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask("events 2"), "done");
    let events = agent.wait_for_events(1, LONG).unwrap();
    assert_eq!(titles(&events), ["event 1"]);
    app.flush();
    assert_eq!(app.ask("event-counts"), "1 0 1");
}

#[test]
fn an_agent_that_does_not_know_the_plugin_gets_events_too() {
    let agent = agent();
    agent.fault(Fault::new(
        Matcher::kind(RequestKind::Announce),
        What::Status(404),
    ));
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask("events 1"), "done");
    agent.wait_for_events(1, LONG).unwrap();
    let requests = agent.requests();
    let announces = requests
        .iter()
        .take_while(|request| request.kind != RequestKind::Event)
        .filter(|request| request.kind == RequestKind::Announce)
        .count();
    assert_eq!(announces, 10, "once that is known");
}
