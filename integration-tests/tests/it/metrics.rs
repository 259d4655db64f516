//! Known conditions, in the payload of the second in which they are there.

use std::sync::Arc;
use std::time::Duration;

use instana_dev_agent::{Config, DevAgent};
use serde_json::{Value, json};

use crate::app::App;

const LONG: Duration = Duration::from_secs(60);

fn start(environment: &[(&str, &str)]) -> (DevAgent, App) {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = App::for_agent(&agent, &[], environment);
    assert_eq!(app.ask("runtime"), "done");
    agent.wait_for_metrics(app.pid(), 2, LONG).unwrap();
    (agent, app)
}

/// The metrics of the last second, and, when `change` has been made, those of the
/// first second that it was there from its beginning: one body may be on its way.
fn around(agent: &DevAgent, app: &mut App, change: &str) -> [Value; 2] {
    let before = agent.metrics(app.pid());
    assert_eq!(app.ask(change), "done", "{change}");
    let count = agent.metrics(app.pid()).len() as u64;
    let after = agent.wait_for_metrics(app.pid(), count + 2, LONG).unwrap();
    [metrics(before.last()), metrics(after.last())]
}

fn metrics(body: Option<&Arc<Value>>) -> Value {
    body.unwrap()["metrics"].clone()
}

/// A figure of the runtime.
fn of_runtime(metrics: &Value, name: &str) -> f64 {
    let reading = &metrics["sources"]["tokio main"][name]["gauge"];
    reading
        .as_f64()
        .unwrap_or_else(|| panic!("{name}: {metrics}"))
}

#[test]
fn a_thousand_sleeping_tasks() {
    let (agent, mut app) = start(&[]);
    let [before, after] = around(&agent, &mut app, "sleepers 1000");
    assert_eq!(of_runtime(&before, "alive_tasks"), 0.0);
    assert_eq!(of_runtime(&after, "alive_tasks"), 1_000.0);
    assert_eq!(of_runtime(&after, "workers"), 2.0);
    let unit = &after["sources"]["tokio main"]["alive_tasks"]["unit"];
    assert_eq!(unit, "tasks");
    agent.assert_clean();
}

#[test]
fn a_blocked_worker() {
    let (agent, mut app) = start(&[("INSTANA_SERVICE_NAME", "shop")]);
    let [before, after] = around(&agent, &mut app, "block");
    assert_eq!(of_runtime(&before, "blocked_workers"), 0.0);
    // It tells that it was busy all the time one sample later.
    let after = match of_runtime(&after, "blocked_workers") {
        0.0 => {
            let count = agent.metrics(app.pid()).len() as u64;
            metrics(
                agent
                    .wait_for_metrics(app.pid(), count + 1, LONG)
                    .unwrap()
                    .last(),
            )
        }
        _ => after,
    };
    assert_eq!(of_runtime(&after, "blocked_workers"), 1.0, "{after}");
    assert_eq!(of_runtime(&after, "busiest_worker_ratio"), 1.0);
    let events = agent.wait_for_events(1, LONG).unwrap();
    assert_eq!(events[0]["title"], "A tokio runtime is blocked");
    assert_eq!(events[0]["id"], "shop");
    assert_eq!(events[0]["severity"], 5);
    let text = events[0]["text"].as_str().unwrap();
    assert!(
        text.starts_with("1 of 2 workers have been in one poll"),
        "{text}"
    );
    let [_, after] = around(&agent, &mut app, "unblock");
    assert_eq!(of_runtime(&after, "blocked_workers"), 0.0);
    assert_eq!(agent.events().len(), 1, "it is told once");
    agent.assert_clean();
}

#[test]
fn a_hundred_megabytes() {
    let (agent, mut app) = start(&[("INSTANA_GLIBC_HEAP", "true")]);
    let [before, after] = around(&agent, &mut app, "allocate 100");
    let grown = |path: &str| {
        let of = |metrics: &Value| metrics.pointer(path).and_then(Value::as_u64);
        of(&after)
            .zip(of(&before))
            .map(|(after, before)| after - before)
    };
    let expected = 100 << 20;
    for path in ["/mem/resident", "/mem/anonymous"] {
        let grown = grown(path).unwrap();
        assert!(
            (expected..expected + (8 << 20)).contains(&grown),
            "{path}: {grown}"
        );
    }
    if cfg!(target_env = "gnu") {
        let grown = grown("/sources/glibc/in_use/gauge").unwrap();
        assert!((expected..expected + (8 << 20)).contains(&grown), "{grown}");
    }
    agent.assert_clean();
}

#[test]
fn fifty_open_files() {
    let (agent, mut app) = start(&[]);
    let [before, after] = around(&agent, &mut app, "open 50");
    let open = |metrics: &Value| metrics["openFiles"]["current"].as_u64().unwrap();
    let grown = open(&after) - open(&before);
    // Before Linux 6.2 they are counted every 10 s.
    let seen = if grown == 0 {
        let all = agent.wait_for_metrics(app.pid(), 14, LONG).unwrap();
        open(&metrics(all.last())) - open(&before)
    } else {
        grown
    };
    assert!((50..53).contains(&seen), "{seen}");
    agent.assert_clean();
}

#[test]
fn what_the_application_counts() {
    let (agent, mut app) = start(&[]);
    let [before, after] = around(&agent, &mut app, "count 3");
    assert_eq!(before.get("custom"), None);
    let expected = json!({
        "depth": {"gauge": 3, "unit": "items"}, "counted": {"counter": 3, "unit": "items"},
    });
    assert_eq!(after["custom"], expected);
    let [_, after] = around(&agent, &mut app, "count 4");
    assert_eq!(after["custom"]["counted"]["counter"], 7);
    assert_eq!(after["custom"]["depth"]["gauge"], 4);
    agent.assert_clean();
}

#[test]
fn go_s_schema_has_the_tasks_and_the_workers() {
    let (agent, mut app) = start(&[("INSTANA_PLUGIN_NAME", "golang")]);
    let [_, after] = around(&agent, &mut app, "sleepers 1000");
    assert_eq!(after["goroutine"], 1_000);
    assert_eq!(after.get("sources"), None);
    agent.assert_clean();
}

/// And the slow poll, whose line waits behind the others for the agent's log.
#[test]
fn bad_sources_are_switched_off_and_said_in_the_agent_s_log() {
    let timing = [("INSTANA_POLL_TIMING", "true"), ("INSTANA_SLOW_POLL", "20")];
    let (agent, mut app) = start(&timing);
    assert_eq!(app.ask("bad-sources"), "done");
    assert_eq!(app.ask("slow-poll 40"), "done");
    let logs = agent.wait_for_logs(4, LONG).unwrap();
    let lines: Vec<_> = logs
        .iter()
        .map(|line| line["m"].as_str().unwrap())
        .collect();
    for words in [
        "the metric source panics is switched off: it panicked",
        "the metric source hangs is switched off: it has not come back for",
        "sdk weigh: one poll took ",
    ] {
        let is_said = |line: &&&str| line.starts_with(words);
        assert_eq!(
            lines.iter().filter(is_said).count(),
            1,
            "{words}: {lines:?}"
        );
    }
    // The others go on, and so do the metrics: one a second.
    let count = agent.metrics(app.pid()).len() as u64;
    let bodies = agent.wait_for_metrics(app.pid(), count + 2, LONG).unwrap();
    let last = metrics(bodies.last());
    assert_eq!(last["sources"]["good"]["level"]["gauge"], 2.5);
    assert_eq!(last["sources"].get("hangs"), None);
    let polls = bodies.iter().filter_map(|body| {
        let longest = body.pointer("/metrics/polls/longest")?;
        longest.as_f64()
    });
    let polls: Vec<f64> = polls.collect();
    assert!(polls.len() == 1 && polls[0] >= 40.0, "{polls:?}");
    agent.assert_clean();
}
