//! Log lines: the application's as spans, the tracer's in the agent's log.

use std::time::Duration;

use instana_dev_agent::{Config, DevAgent, RequestKind};
use serde_json::{Value, json};

use crate::app::App;

const LONG: Duration = Duration::from_secs(30);

fn agent() -> DevAgent {
    DevAgent::start(Config::new()).unwrap()
}

/// The lines among the spans, in the order in which they were logged.
fn lines(spans: &[Value]) -> Vec<Value> {
    let logs = spans.iter().filter(|span| span["n"] == "log.go");
    logs.map(|span| span["data"]["log"].clone()).collect()
}

#[test]
fn warnings_and_errors_inside_a_request_are_spans() {
    let agent = agent();
    let mut app = App::for_agent(&agent, &[], &[("INSTANA_ALLOW_ROOT_EXIT_SPAN", "true")]);
    assert_eq!(app.ask("log"), "done");
    app.flush();
    let spans = agent.spans();
    assert_eq!(
        lines(&spans),
        [
            json!({"message": "order 7 failed", "level": "ERROR", "logger": "shop::orders"}),
            json!({"message": "password=<redacted> is weak", "level": "WARN", "logger": "shop::orders"}),
        ]
    );
    let entry = spans.iter().find(|span| span["k"] == 1).unwrap();
    assert_eq!(spans.len(), 3, "nothing outside of the entry");
    for span in spans.iter().filter(|span| span["k"] == 2) {
        assert_eq!((&span["p"], &span["t"]), (&entry["s"], &entry["t"]));
        let errors = u64::from(span["data"]["log"]["level"] == "ERROR");
        assert_eq!(span["ec"], errors);
    }
    assert_eq!(entry["ec"], 0);
    agent.assert_clean();
}

#[test]
fn the_level_is_a_setting() {
    for (level, expected) in [
        ("off", 0),
        ("error", 1),
        ("warn", 2),
        ("info", 3),
        ("loud", 2),
    ] {
        let agent = agent();
        let variables = [("INSTANA_TRACING_CAPTURE_LOG_LEVEL", level)];
        let mut app = App::for_agent(&agent, &[], &variables);
        assert_eq!(app.ask("log"), "done");
        app.flush();
        assert_eq!(lines(&agent.spans()).len(), expected, "{level}");
        agent.assert_clean();
    }
}

#[test]
fn the_agents_log_tells_what_was_wrong_and_that_the_process_is_there() {
    let agent = agent();
    let variables = [("INSTANA_ALLOW_ROOT_EXIT_SPAN", "secret=hidden")];
    let app = App::for_agent(&agent, &[], &variables);
    let logs = agent.wait_for_logs(2, LONG).unwrap();
    let texts: Vec<_> = logs.iter().map(Value::to_string).collect();
    assert!(
        texts[0].contains("INSTANA_ALLOW_ROOT_EXIT_SPAN="),
        "{texts:?}"
    );
    assert!(!texts[0].contains("hidden"), "{texts:?}");
    let connected = format!(
        "connected to the agent at {} as rust {}",
        agent.addr(),
        app.pid()
    );
    assert!(texts[1].contains(&connected), "{texts:?}");
    let requests = agent.requests();
    let is_log = |request: &&instana_dev_agent::Request| request.kind == RequestKind::Log;
    let times: Vec<_> = requests
        .iter()
        .filter(is_log)
        .map(|log| log.at_ms)
        .collect();
    assert!(times[1] - times[0] >= 9_500, "{times:?}");
    agent.assert_clean();
}
