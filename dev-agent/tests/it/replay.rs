//! What Instana's own tracers sent is accepted without a violation.

use std::collections::{BTreeSet, HashMap};

use instana_dev_agent::{AnnounceAnswer, Config, DevAgent, Finding, Trace};
use serde_json::{Value, json};

use crate::support::Client;

const NODE: &str = include_str!("../fixtures/recorded/node.jsonl");
const PYTHON: &str = include_str!("../fixtures/recorded/python.jsonl");
const GO: &str = include_str!("../fixtures/recorded/go.jsonl");
const CROSS: &str = include_str!("../fixtures/recorded/cross-service-traces.json");
const HOST: &str = "de:ad:be:ff:fe:00:00:01";

/// Processes and times are of another day and machine.
fn agent() -> DevAgent {
    let answer = AnnounceAnswer::new()
        .agent_uuid(HOST)
        .extra_headers(["X-Capture-This"]);
    let config = Config::new()
        .announce_answer(answer)
        .check_times(false)
        .check_sockets(false);
    DevAgent::start(config.reject_ready(1)).expect("an agent")
}

/// Sends what was recorded, in order and over as many connections, and expects
/// the recorded answers. Returns how often the agent forgot its processes.
fn replay(agent: &DevAgent, recording: &str) -> u32 {
    let mut connections: HashMap<u64, Client> = HashMap::new();
    let (mut known, mut forgotten) = (false, 0);
    for line in recording.lines() {
        let record: Value = serde_json::from_str(line).expect("a record");
        let (method, path) = (
            record["method"].as_str().unwrap(),
            record["path"].as_str().unwrap(),
        );
        let body = record["body"].as_str().unwrap_or_default();
        let status = record["response"]["status"].as_u64().unwrap();
        let answered: Value =
            serde_json::from_str(record["response"]["body"].as_str().unwrap_or_default())
                .unwrap_or_default();
        let pid = path
            .split(['.', '?'])
            .find_map(|part| part.parse::<u64>().ok());
        if known && method == "POST" && status == 404 {
            agent.forget();
            (known, forgotten) = (false, forgotten + 1);
        }
        known |= method == "PUT";
        for request in answered.as_array().into_iter().flatten() {
            assert!(agent.queue_request(pid.unwrap(), request.clone()));
        }
        let headers: Vec<(String, String)> =
            serde_json::from_value(record["headers"].clone()).expect("headers");
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let client = connections
            .entry(record["peer_port"].as_u64().unwrap())
            .or_insert_with(|| Client::of(agent));
        let answer = client
            .send(method, path, &headers, body)
            .expect("an answer");
        assert_eq!(
            u64::from(answer.status),
            status,
            "{} {method} {path}",
            record["seq"]
        );
        if method == "POST" && answered.is_array() {
            assert_eq!(answer.json(), answered, "{} {method} {path}", record["seq"]);
        }
    }
    forgotten
}

fn rules(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().map(|finding| finding.rule.name()).collect()
}

#[test]
fn node() {
    let agent = agent();
    assert_eq!(replay(&agent, NODE), 1);
    agent.assert_clean();
    assert_eq!(
        rules(&agent.notes()),
        BTreeSet::from(["bare-frame", "float-start-time", "null-member"])
    );
    let process = agent.process(24375).unwrap();
    assert_eq!(
        (
            process.announces(),
            process.span_count(),
            process.snapshots()
        ),
        (2, 44, 2)
    );
    assert_eq!(
        process.responses(),
        [(
            "msg-1".to_owned(),
            json!({"error": "Functionality disabled."})
        )]
    );
    assert_eq!(
        process.aggregate()["memory"]["rss"]
            .as_u64()
            .map(|rss| rss > 1_000_000),
        Some(true)
    );
}

#[test]
fn python() {
    let agent = agent();
    assert_eq!(replay(&agent, PYTHON), 1);
    agent.assert_clean();
    let habits = [
        "error-count-above-one",
        "null-member",
        "numeric-entity",
        "numeric-fd",
        "order-ready",
        "snapshot-again",
    ];
    assert_eq!(rules(&agent.notes()), BTreeSet::from(habits));
    let process = agent.process(24376).unwrap();
    assert_eq!(
        (
            process.announces(),
            process.span_count(),
            process.name().as_str()
        ),
        (2, 31, "python-peer")
    );
}

#[test]
fn go() {
    let agent = agent();
    assert_eq!(replay(&agent, GO), 1);
    agent.assert_clean();
    assert_eq!(rules(&agent.notes()), BTreeSet::from(["log-error"]));
    let process = agent.process(24377).unwrap();
    assert_eq!(
        (
            process.known(),
            process.metric_count(),
            process.span_count()
        ),
        (false, 13, 17)
    );
}

#[test]
fn all_three_into_one_agent() {
    let agent = agent();
    for recording in [NODE, PYTHON, GO] {
        replay(&agent, recording);
    }
    agent.assert_clean();
    assert_eq!(agent.spans().len(), 44 + 31 + 17);
    let crossed: Vec<Value> = serde_json::from_str(CROSS).unwrap();
    for recorded in &crossed {
        let trace = agent
            .trace(recorded["trace"].as_str().unwrap())
            .expect("the trace");
        assert_eq!(
            trace.spans().len(),
            recorded["spans"].as_array().unwrap().len()
        );
        assert_eq!(
            trace.rows().iter().filter(|row| row.depth == 0).count(),
            1,
            "one root: {}",
            trace.id()
        );
    }
    let map = agent.service_map();
    let edge = map
        .edges
        .iter()
        .find(|edge| edge.from == "go-peer" && edge.to == "python-peer")
        .expect("an edge");
    assert_eq!((edge.kind.as_str(), edge.errors), ("service", 0));
}

#[test]
fn traces_across_tracers() {
    let agent = agent();
    let mut client = Client::of(&agent);
    let plugins = [(24375, "nodejs"), (24376, "python"), (24377, "golang")];
    for (pid, plugin) in plugins {
        client.get("/");
        let announce = json!({"pid": pid, "name": plugin});
        assert_eq!(
            client
                .put(
                    &format!("/com.instana.plugin.{plugin}.discovery"),
                    &announce
                )
                .status,
            200
        );
    }
    let crossed: Vec<Value> = serde_json::from_str(CROSS).unwrap();
    for trace in &crossed {
        for (pid, plugin) in plugins {
            let text = pid.to_string();
            let from = |span: &&Value| span["f"]["e"] == pid || span["f"]["e"] == text;
            let spans: Vec<_> = trace["spans"]
                .as_array()
                .unwrap()
                .iter()
                .filter(from)
                .collect();
            if !spans.is_empty() {
                client.post(
                    &format!("/com.instana.plugin.{plugin}/traces.{pid}"),
                    &json!(spans),
                );
            }
        }
    }
    // The spans alone: there were no metrics before them.
    assert_eq!(rules(&agent.violations()), BTreeSet::from(["order-traces"]));
    assert_eq!(agent.traces().len(), crossed.len());
    assert!(agent.traces().iter().all(Trace::has_root));

    // A span less, and its exits have no parent any more.
    agent.clear();
    let spans = crossed[0]["spans"].as_array().unwrap();
    let entry = spans
        .iter()
        .find(|span| span["n"] == "wsgi" && span["lt"].is_string())
        .expect("the entry");
    let exits: Vec<_> = spans
        .iter()
        .filter(|span| span["p"] == entry["s"])
        .collect();
    assert_eq!(exits.len(), 1);
    client.post("/com.instana.plugin.python/traces.24376", &json!(exits));
    assert_eq!(
        rules(&agent.violations()),
        BTreeSet::from(["order-traces", "parent-known"])
    );
}
