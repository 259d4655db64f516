//! Rules that the agent hands out, also for spans that were recorded before it
//! answered, and rules of the environment, which win.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent, Fault, Matcher, RequestKind, What};
use serde_json::{Value, json};

use crate::app::App;

const LONG: Duration = Duration::from_secs(30);

/// How many spans of each name are sent of an entry `job` with five redis calls,
/// and of another one with a `call`; and the status then. Where `early`, they
/// are recorded before the announce.
fn sent(
    answer: AnnounceAnswer,
    variables: &[(&str, &str)],
    early: bool,
) -> (BTreeMap<String, usize>, String) {
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    if early {
        let refused = Matcher::kind(RequestKind::Announce);
        agent.fault(Fault::new(refused, What::Status(404)).times(2));
    }
    let mut app = App::for_agent(&agent, &[], variables);
    if !early {
        agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    }
    assert_eq!(app.ask("queries 5"), "done");
    assert_eq!(app.ask("entries 1"), "done");
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    app.flush();
    let mut names = BTreeMap::new();
    for span in agent.spans() {
        let name = match &span["data"]["sdk"]["name"] {
            Value::String(name) => name.clone(),
            _ => span["n"].as_str().unwrap().to_owned(),
        };
        *names.entry(name).or_default() += 1;
    }
    assert_eq!(agent.violations(), []);
    (names, app.ask("status"))
}

fn names<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected
        .map(|(name, count)| (name.to_owned(), count))
        .into()
}

#[test]
fn the_agent_switches_a_type_off() {
    for early in [false, true] {
        let answer = AnnounceAnswer::new().disable(["redis"]);
        let (sent, status) = sent(answer, &[], early);
        assert_eq!(sent, names([("call", 1), ("job", 2)]), "early: {early}");
        assert_eq!(status.contains("ignored    5 by rules"), early, "{status}");
    }
}

#[test]
fn the_agent_ignores_an_endpoint() {
    for early in [false, true] {
        let answer = AnnounceAnswer::new().ignore_endpoints(json!({"redis": ["get"]}));
        let (sent, _) = sent(answer, &[], early);
        assert_eq!(sent, names([("call", 1), ("job", 2)]), "early: {early}");
    }
}

#[test]
fn the_agent_filters_by_what_spans_hold() {
    let answer = AnnounceAnswer::new().filter(json!({
        "exclude": [{"name": "redis", "attributes": [{"key": "type", "values": ["redis"]}]}],
        "include": [{"name": "errors", "attributes": [{"key": "redis.error", "values": ["*"]}]}],
    }));
    let (sent, status) = sent(answer, &[], false);
    assert_eq!(sent, names([("call", 1), ("job", 2), ("redis", 1)]));
    assert!(status.contains("ignored    4 by rules"), "{status}");
}

#[test]
fn the_environment_wins_over_the_agent() {
    let answer = AnnounceAnswer::new().disable(["redis"]);
    let (sent, _) = sent(
        answer,
        &[("INSTANA_TRACING_DISABLE", "databases,!redis")],
        false,
    );
    assert_eq!(sent, names([("call", 1), ("job", 2), ("redis", 5)]));
}

#[test]
fn tracing_that_is_switched_off_leaves_the_metrics() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = App::for_agent(&agent, &[], &[("INSTANA_TRACING_DISABLE", "true")]);
    assert_eq!(app.ask("queries 5"), "done");
    agent.wait_for_metrics(app.pid(), 2, LONG).unwrap();
    assert_eq!(app.counts(), [0; 4]);
}

#[test]
fn what_the_agent_switched_off_it_can_switch_on_again() {
    let everything = AnnounceAnswer::new().tracing(json!({"disable": true}));
    let agent = DevAgent::start(Config::new().announce_answer(everything)).unwrap();
    let mut app = App::for_agent(&agent, &[], &[]);
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    assert_eq!(app.ask("entries 1"), "done");
    assert_eq!(app.counts(), [0; 4]);
    agent.set_announce_answer(AnnounceAnswer::new());
    agent.forget();
    // The next metrics meet an agent that does not know it, and it announces anew.
    let start = Instant::now();
    while app.counts() == [0; 4] {
        assert!(start.elapsed() < LONG, "{}", app.ask("status"));
        assert_eq!(app.ask("entries 1"), "done");
    }
    agent.wait_for_spans(2, LONG).unwrap();
}
