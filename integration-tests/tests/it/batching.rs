//! Span batching, switched on by the agent or by the environment.

use std::time::Duration;

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent};
use serde_json::{Value, json};

use crate::app::App;

const LONG: Duration = Duration::from_secs(30);

/// The exits of an entry with 50 quick calls, and how long the entry took.
fn calls(agent: &DevAgent, variables: &[(&str, &str)], expected: usize) -> (Vec<Value>, u64) {
    let mut app = App::for_agent(agent, &[], variables);
    assert_eq!(app.ask("queries 50"), "done");
    let spans = agent.wait_for_spans(expected, LONG).unwrap();
    let entry = spans.iter().find(|span| span["n"] == "sdk").unwrap();
    let (parent, duration) = (entry["s"].clone(), entry["d"].as_u64().unwrap());
    let calls: Vec<Value> = spans
        .into_iter()
        .filter(|span| span["n"] == "redis")
        .collect();
    assert!(calls.iter().all(|call| call["p"] == parent));
    assert_eq!(agent.violations(), []);
    (calls, duration)
}

fn is_one_call_for_fifty(agent: &DevAgent, variables: &[(&str, &str)]) {
    let (calls, duration) = calls(agent, variables, 2);
    let [call] = calls.as_slice() else {
        unreachable!("{calls:?}")
    };
    assert_eq!(call["b"]["s"], 50);
    assert!(
        call["b"]["d"].as_u64().unwrap() <= duration + 50,
        "each is rounded"
    );
    assert_eq!(call["ec"], 1, "the one with the error survives");
    assert_eq!(
        call["data"]["redis"],
        json!({"command": "GET", "error": "no such key"})
    );
}

#[test]
fn the_agent_switches_it_on() {
    let answer = AnnounceAnswer::new().span_batching(true);
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    is_one_call_for_fifty(&agent, &[]);
}

#[test]
fn the_environment_wins_over_the_agent() {
    let answer = AnnounceAnswer::new().span_batching(true);
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    let (all, _) = calls(&agent, &[("INSTANA_SPANBATCHING_ENABLED", "false")], 51);
    assert_eq!(all.len(), 50);
    assert!(all.iter().all(|call| call.get("b").is_none()));

    let agent = DevAgent::start(Config::new()).unwrap();
    is_one_call_for_fifty(&agent, &[("INSTANA_SPANBATCHING_ENABLED", "true")]);
}
