//! Stack traces of exits, switched on by the agent or by the environment.

use std::time::Duration;

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent};
use serde_json::Value;

use crate::app::App;

/// Nothing here takes this long unless it is broken.
const LONG: Duration = Duration::from_secs(30);

/// The stacks of three calls, the first of which fails.
fn stacks(answer: AnnounceAnswer, variables: &[(&str, &str)]) -> Vec<Vec<Value>> {
    let agent = DevAgent::start(Config::new().announce_answer(answer)).unwrap();
    let mut app = App::for_agent(&agent, &[], variables);
    // What the agent has set is in force for what begins after the announce.
    agent.wait_for_metrics(app.pid(), 1, LONG).unwrap();
    let spans = in_time(&agent, &mut app);
    assert_eq!(agent.violations(), []);
    let mut calls = Vec::new();
    for span in spans {
        let stack = span["stack"].as_array().cloned().unwrap_or_default();
        match span["n"] == "redis" {
            true => calls.push((span["ec"] == 0, stack)),
            false => assert!(stack.is_empty(), "{span}"),
        }
    }
    calls.sort_by_key(|(is_good, _)| *is_good);
    calls.into_iter().map(|(_, stack)| stack).collect()
}

/// The spans of a round in which no stack was left out: there are 50 ms a second
/// for them, and a busy machine needs more to load the symbols at first.
fn in_time(agent: &DevAgent, app: &mut App) -> Vec<Value> {
    let mut dropped = String::from("0");
    for _ in 0..300 {
        agent.clear();
        assert_eq!(app.ask("queries 3"), "done");
        let spans = agent.wait_for_spans(4, LONG).unwrap();
        let status = app.ask("status");
        let (before, _) = status.split_once(" stacks left out").unwrap();
        let now = before.rsplit(' ').next().unwrap();
        if now == dropped {
            return spans;
        }
        dropped = now.to_owned();
        std::thread::sleep(Duration::from_millis(200));
    }
    unreachable!("no round without a stack left out: {}", app.ask("status"))
}

fn is_of_the_caller(stack: &[Value]) {
    let first = &stack[0];
    assert_eq!(first["m"], "traced_app::commands::obey", "{stack:?}");
    assert_eq!(first["c"], "integration-tests/src/app/commands.rs");
    assert!(first["n"].as_u64().unwrap() > 0);
}

#[test]
fn by_default_failed_calls_have_one() {
    let [failed, good, other] = stacks(AnnounceAnswer::new(), &[]).try_into().unwrap();
    is_of_the_caller(&failed);
    assert!(failed.len() <= 10);
    assert!(good.is_empty() && other.is_empty());
}

#[test]
fn the_agent_wants_one_frame_of_all() {
    let answer = AnnounceAnswer::new()
        .stack_trace("all")
        .stack_trace_length(1);
    for stack in stacks(answer, &[]) {
        is_of_the_caller(&stack);
        assert_eq!(stack.len(), 1);
    }
}

#[test]
fn the_environment_wins_over_the_agent() {
    let answer = AnnounceAnswer::new().stack_trace("all");
    let stacks = stacks(answer, &[("INSTANA_STACK_TRACE", "none")]);
    assert_eq!(stacks, [const { Vec::<Value>::new() }; 3]);
}
