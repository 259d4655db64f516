//! Waits, queries, and who may use them.

use std::thread;
use std::time::Duration;

use instana_dev_agent::{Config, DevAgent};
use serde_json::{Value, json};

use crate::support::{Client, now_ms, report_in};

const PATIENCE: Duration = Duration::from_secs(10);

fn raw(id: &str) -> Value {
    json!([{"t": "1111111111111111", "s": id, "n": "g.http", "k": 1, "ts": now_ms(), "d": 4, "ec": 1,
        "data": {"service": "shop", "http": {"method": "GET", "path": "/a"}}}])
}

fn event_and_log(client: &mut Client) {
    client.post(
        "/com.instana.plugin.generic.event",
        &json!({"title": "deployed", "severity": -1}),
    );
    let headers = [
        ("Content-Type", "application/json"),
        ("X-Log-Level", "INFO"),
    ];
    client
        .send(
            "POST",
            "/com.instana.agent.logger",
            &headers,
            "{\"m\":\"ready\"}",
        )
        .expect("an answer");
}

fn agent() -> (DevAgent, Client) {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let client = Client::of(&agent);
    (agent, client)
}

#[test]
fn waits_end_when_spans_arrive() {
    let (agent, mut client) = agent();
    let sender = thread::spawn(move || {
        for id in ["2222222222222222", "3333333333333333"] {
            client.post("/com.instana.plugin.generic.rawtrace", &raw(id));
        }
    });
    let spans = agent.wait_for_spans(2, PATIENCE).expect("two spans");
    assert_eq!(spans.len(), 2);
    sender.join().expect("no panic");
}

#[test]
fn waits_end_when_events_and_logs_arrive() {
    let (agent, mut client) = agent();
    let sender = thread::spawn(move || {
        event_and_log(&mut client);
        event_and_log(&mut client);
    });
    let events = agent.wait_for_events(2, PATIENCE).expect("two events");
    assert_eq!(events[1]["title"], "deployed");
    let logs = agent.wait_for_logs(2, PATIENCE).expect("two lines");
    assert_eq!(logs[1], json!({"m": "ready", "level": "INFO"}));
    sender.join().expect("no panic");
    agent.assert_clean();
}

#[test]
fn a_late_wait_tells_what_arrived() {
    let (agent, mut client) = agent();
    client.post(
        "/com.instana.plugin.generic.rawtrace",
        &raw("2222222222222222"),
    );
    let error = agent
        .wait_for_spans(2, Duration::from_millis(20))
        .expect_err("one span only")
        .to_string();
    assert!(error.starts_with("no 2 spans within 20ms"), "{error}");
    assert!(
        error.contains("1 spans (1 g.http)") && error.contains("1 requests (1 rawtrace 200)"),
        "{error}"
    );
}

#[test]
fn waits_over_http() {
    let (agent, mut client) = agent();
    let late = client.get("/dev/wait?spans=1&timeout_ms=20");
    assert_eq!(late.status, 408);
    let addr = agent.addr();
    let waiting = thread::spawn(move || {
        Client::new(addr)
            .get("/dev/wait?spans=1&metrics=1&processes=1&events=1&logs=1&timeout_ms=10000")
    });
    report_in(&mut client, "rust");
    client.post(
        "/com.instana.plugin.generic.rawtrace",
        &raw("2222222222222222"),
    );
    event_and_log(&mut client);
    let answer = waiting.join().expect("no panic");
    assert_eq!(
        (answer.status, answer.json()),
        (
            200,
            json!({"spans": 1, "metrics": 1, "processes": 1, "events": 1, "logs": 1})
        )
    );
    assert_eq!(client.get("/dev/wait?spans=many").status, 400);
}

#[test]
fn queries() {
    let (agent, mut client) = agent();
    let pid = report_in(&mut client, "rust");
    client.post(
        "/com.instana.plugin.generic.rawtrace",
        &raw("2222222222222222"),
    );
    event_and_log(&mut client);
    assert_eq!(client.post("/v1/traces", &json!({})).json(), json!({}));
    let mut at = |path: &str, pointer: &str| {
        client
            .get(path)
            .json()
            .pointer(pointer)
            .cloned()
            .unwrap_or_default()
    };
    for (path, pointer, expected) in [
        ("/", "/dev", json!(true)),
        ("/", "/version", json!("1.1.999")),
        ("/dev", "/name", json!("instana-dev-agent")),
        ("/dev/status", "/spans", json!(1)),
        ("/dev/status", "/otlp_dropped", json!(1)),
        ("/dev/processes", "/processes/0/name", json!("shop")),
        (&format!("/dev/processes/{pid}"), "/plugin", json!("rust")),
        (
            &format!("/dev/processes/{pid}/metrics"),
            "/metrics/0/metrics/tasks",
            json!(4),
        ),
        ("/dev/traces", "/traces/0/root", json!("GET /a")),
        (
            "/dev/traces?errors=1&service=shop",
            "/traces/0/errors",
            json!(1),
        ),
        ("/dev/traces?service=other", "/traces", json!([])),
        ("/dev/traces/1111111111111111", "/spans/0/depth", json!(0)),
        ("/dev/spans", "/spans/0/n", json!("g.http")),
        ("/dev/map", "/services/0/calls", json!(1)),
        ("/dev/violations", "/total", json!(0)),
        ("/dev/notes", "/notes", json!([])),
        ("/dev/rules", "/rules/0/rule", json!("http-syntax")),
        ("/dev/rules", "/rules/0/heading", json!("Requests")),
        ("/dev/events", "/events/0/title", json!("deployed")),
        (
            "/dev/logs",
            "/logs/0",
            json!({"m": "ready", "level": "INFO"}),
        ),
        ("/dev/requests?limit=1", "/requests/0/path", json!("/")),
        ("/dev/traces/x", "/error", json!("no trace has the id x")),
        (
            "/dev/processes/x",
            "/error",
            json!("no process has the pid x"),
        ),
        (
            "/dev/nothing",
            "/error",
            json!("/dev/nothing is unknown; GET /dev lists what there is"),
        ),
    ] {
        assert_eq!(at(path, pointer), expected, "{path}");
    }
    assert_eq!(
        client
            .send("DELETE", "/dev/data", &[], "")
            .expect("an answer")
            .status,
        200
    );
    assert!(agent.spans().is_empty() && agent.events().is_empty());
    assert_eq!(
        agent.process(pid).map(|process| process.known()),
        Some(true)
    );
}

#[test]
fn controls_over_http() {
    let (agent, mut client) = agent();
    let pid = report_in(&mut client, "rust");
    let request = json!({"action": "a", "messageId": "m"});
    assert_eq!(
        client
            .post(&format!("/dev/requests/{pid}"), &request)
            .status,
        200
    );
    assert_eq!(client.post("/dev/requests/1", &request).status, 404);
    assert_eq!(
        client
            .post(&format!("/dev/requests/{pid}"), &json!({}))
            .status,
        400
    );
    assert_eq!(
        client
            .post("/dev/announce-answer", &json!({"pidOffset": 5}))
            .status,
        200
    );
    assert_eq!(
        client
            .post("/dev/announce-answer", &json!({"pidOfset": 5}))
            .status,
        400
    );
    assert_eq!(
        client.post("/dev/reject", &json!({"announces": 1})).status,
        200
    );
    assert_eq!(
        client.post("/dev/reject", &json!({"announce": 1})).status,
        400
    );
    assert_eq!(
        client
            .send("POST", "/dev/forget", &[], "")
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(
        agent.process(pid).map(|process| process.known()),
        Some(false)
    );
    let body = crate::support::announce(&client);
    assert_eq!(
        client
            .put("/com.instana.plugin.rust.discovery", &body)
            .status,
        404
    );
    assert_eq!(
        client
            .put("/com.instana.plugin.rust.discovery", &body)
            .json()["pid"],
        pid + 5
    );
}

#[test]
fn the_token_guards_dev_only() {
    let agent = DevAgent::start(Config::new().token("s3cr3t")).expect("an agent");
    let mut client = Client::of(&agent);
    let mut status = |headers: &[(&str, &str)]| {
        client
            .send("GET", "/dev/status", headers, "")
            .expect("an answer")
            .status
    };
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("Authorization", "Bearer wrong1")]), 401);
    assert_eq!(status(&[("Authorization", "Bearer s3cr3t")]), 200);
    report_in(&mut Client::of(&agent), "rust");
}

#[test]
fn web_pages_are_kept_out() {
    let (agent, mut client) = agent();
    let own = format!("http://{}", agent.addr());
    let mut status = |headers: &[(&str, &str)]| {
        client
            .send("POST", "/dev/forget", headers, "")
            .expect("an answer")
            .status
    };
    assert_eq!(status(&[("Host", "evil.example")]), 403);
    assert_eq!(status(&[("Origin", "http://evil.example")]), 403);
    assert_eq!(status(&[("Origin", "null")]), 403);
    assert_eq!(status(&[("Origin", &own)]), 200);
    assert_eq!(agent.requests().len(), 0, "the log is of tracers only");
}

#[test]
fn memory_is_bounded() {
    let config = Config::new()
        .span_bytes(20_000)
        .kept_requests(5)
        .kept_findings(5)
        .processes(2);
    let agent = DevAgent::start(config).expect("an agent");
    let mut client = Client::of(&agent);
    for n in 0..200 {
        let mut span = raw(&format!("{:016x}", n + 1));
        span[0]["t"] = format!("{:016x}", n + 1).into();
        span[0]["d"] = (-1).into();
        client.post("/com.instana.plugin.generic.rawtrace", &span);
    }
    for pid in 1..=5 {
        client.put(
            "/com.instana.plugin.rust.discovery",
            &json!({"pid": pid, "name": "x"}),
        );
    }
    let status = client.get("/dev/status").json();
    assert!(
        status["span_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes <= 20_000),
        "{status}"
    );
    assert_eq!(
        status["spans"]
            .as_u64()
            .zip(status["spans_dropped"].as_u64())
            .map(|(kept, dropped)| kept + dropped),
        Some(200)
    );
    assert_eq!((agent.requests().len(), agent.processes().len()), (5, 2));
    assert_eq!(agent.violations().len(), 5);
    assert!(
        agent
            .check()
            .expect_err("violations")
            .to_string()
            .starts_with("205 violation(s)")
    );
}

#[test]
fn connections_are_bounded() {
    let agent = DevAgent::start(Config::new().connections(1)).expect("an agent");
    let mut first = Client::of(&agent);
    assert_eq!(first.get("/").status, 200);
    assert_eq!(Client::of(&agent).rest(), "");
    assert_eq!(first.get("/dev/status").json()["connections_refused"], 1);
}
