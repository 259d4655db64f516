//! What the agent does wrong when it is told to.

use std::thread;
use std::time::{Duration, Instant};

use instana_dev_agent::{Config, DevAgent, Fault, Matcher, RequestKind, Rule, What};
use serde_json::{Value, json};

use crate::support::{Client, metrics, now_ms, report_in};

const PATIENCE: Duration = Duration::from_secs(10);

fn spans(pid: u64, id: &str) -> Value {
    json!([{"t": "1111111111111111", "s": id, "n": "sdk", "k": 3, "ts": now_ms(), "d": 4, "ec": 0,
        "f": {"e": pid.to_string(), "h": "02:42:ac:ff:fe:11:00:02"}, "data": {"sdk": {"name": "price", "type": "intermediate"}}}])
}

fn started() -> (DevAgent, Client, u64) {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    let pid = report_in(&mut client, "rust");
    (agent, client, pid)
}

fn traces(pid: u64) -> String {
    format!("/com.instana.plugin.rust/traces.{pid}")
}

fn on_traces(what: What) -> Fault {
    Fault::new(Matcher::kind(RequestKind::Traces), what)
}

#[test]
fn status_as_often_as_asked() {
    let (agent, mut client, pid) = started();
    agent.fault(on_traces(What::Status(500)).times(2));
    let sent = spans(pid, "2222222222222222");
    let statuses: Vec<_> = (0..3)
        .map(|_| client.post(&traces(pid), &sent).status)
        .collect();
    assert_eq!(statuses, [500, 500, 200]);
    assert_eq!(agent.spans().len(), 1, "a refused request did not arrive");
    agent.assert_clean();
    let logged: Vec<_> = agent
        .requests()
        .iter()
        .filter(|request| request.kind == RequestKind::Traces)
        .map(|request| (request.status, request.fault))
        .collect();
    assert_eq!(
        logged,
        [(Some(500), true), (Some(500), true), (Some(200), false)]
    );
}

#[test]
fn delay() {
    let (agent, mut client, pid) = started();
    let delay = Duration::from_millis(150);
    agent.fault(on_traces(What::Delay(delay)).times(1));
    let start = Instant::now();
    assert_eq!(
        client
            .post(&traces(pid), &spans(pid, "2222222222222222"))
            .status,
        200
    );
    assert!(start.elapsed() >= delay);
    assert_eq!(agent.spans().len(), 1);
}

#[test]
fn drop_and_garbage_and_truncated() {
    let (agent, _, pid) = started();
    for (what, expected) in [
        (What::Drop, ""),
        (
            What::Garbage(b"\x00garbage\r\n\r\n".to_vec()),
            "\x00garbage\r\n\r\n",
        ),
        (What::Truncated, "HTTP/1.1 200 OK\r\ncontent-type"),
    ] {
        agent.fault(on_traces(what.clone()).times(1));
        let mut client = Client::of(&agent);
        let body = spans(pid, "2222222222222222").to_string();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            traces(pid),
            body.len()
        );
        client.raw((head + &body).as_bytes()).expect("sent");
        let rest = client.rest();
        assert!(rest.starts_with(expected), "{what:?}: {rest:?}");
        let whole = rest.ends_with("[]");
        assert!(
            !whole && (expected.is_empty() == rest.is_empty()),
            "{what:?}: {rest:?}"
        );
    }
    assert!(agent.spans().is_empty());
    agent.assert_clean();
}

#[test]
fn hang_until_cleared() {
    let (agent, mut client, pid) = started();
    agent.fault(on_traces(What::Hang));
    let hanging =
        thread::spawn(move || client.json("POST", &traces(pid), &spans(pid, "2222222222222222")));
    agent
        .wait_until("the hanging request", PATIENCE, |view| {
            view.requests()
                .iter()
                .any(|request| request.fault && request.status.is_none())
                .then_some(())
        })
        .expect("it arrives");
    assert_eq!(Client::of(&agent).get("/").status, 200, "others are served");
    assert!(!hanging.is_finished());
    agent.clear_faults();
    assert!(
        hanging.join().expect("no panic").is_err(),
        "closed without an answer"
    );
}

#[test]
fn body_is_taken_in() {
    let (agent, mut client, pid) = started();
    agent.fault(Fault::new(
        Matcher::kind(RequestKind::Metrics).pid(pid),
        What::Body("nonsense".to_owned()),
    ));
    let answer = client.post(
        &format!("/com.instana.plugin.rust.{pid}"),
        &metrics(pid, false),
    );
    assert_eq!((answer.status, answer.body.as_str()), (200, "nonsense"));
    assert_eq!(
        agent.process(pid).map(|process| process.metric_count()),
        Some(2)
    );
}

#[test]
fn the_same_span_twice_is_a_violation_without_a_fault() {
    let (agent, mut client, pid) = started();
    for _ in 0..2 {
        client.post(&traces(pid), &spans(pid, "2222222222222222"));
    }
    let rules: Vec<_> = agent
        .violations()
        .iter()
        .map(|violation| violation.rule)
        .collect();
    assert_eq!(rules, [Rule::DuplicateSpan]);
}

#[test]
fn faults_over_http() {
    let (agent, mut client, pid) = started();
    let fault = json!({"on": {"kind": "traces"}, "what": {"status": 503}, "times": 1});
    assert_eq!(client.post("/dev/faults", &fault).json()["id"], 1);
    assert_eq!(
        client.get("/dev/faults").json()["faults"][0]["fault"]["what"],
        json!({"status": 503})
    );
    assert_eq!(client.post(&traces(pid), &json!([])).status, 503);
    assert_eq!(client.get("/dev/faults").json()["faults"], json!([]));
    client.post("/dev/faults", &json!({"what": "drop"}));
    assert_eq!(
        client
            .send("DELETE", "/dev/faults", &[], "")
            .expect("an answer")
            .status,
        200
    );
    assert_eq!(client.post(&traces(pid), &json!([])).status, 200);
    let refused = client.post("/dev/faults", &json!({"what": "explode"}));
    assert_eq!(refused.status, 400);
    assert!(
        refused.json()["error"]
            .as_str()
            .is_some_and(|error| error.contains("\"drop\", \"hang\""))
    );
    agent.assert_clean();
}
