//! What reaches the agent, field by field.

use instana_dev_agent::{Config, DevAgent};
use serde_json::{Value, json};

use super::{LONG, flushed, queue, start};
use crate::services::variable;

/// `data` of spans with a name, without what the test has no say in, in the order
/// in which they ended.
fn data(agent: &DevAgent, count: usize, name: &str) -> Vec<Value> {
    let spans = agent.wait_for_spans(count, LONG).unwrap();
    let mut spans: Vec<Value> = spans.into_iter().filter(|span| span["n"] == name).collect();
    spans.sort_by_key(|span| span["ts"].as_u64());
    spans
        .into_iter()
        .map(|mut span| span["data"].take())
        .collect()
}

/// The host of the services, as it is recorded.
fn host() -> String {
    variable("AWS_ENDPOINT_URL")
        .split_once("://")
        .unwrap()
        .1
        .trim_end_matches('/')
        .to_owned()
}

#[test]
fn an_empty_poll_leaves_nothing_and_others_are_short() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = start(&agent);
    let queue = queue(&mut app, "polled");
    assert_eq!(app.ask(&format!("poll {queue}")), "0");
    assert_eq!(flushed(&mut app), 1, "the entry around it");
    assert_eq!(app.ask(&format!("send {queue} 0")), "done");
    assert_eq!(app.ask(&format!("poll {queue}")), "1");
    flushed(&mut app);
    let data = data(&agent, 5, "sqs");
    let [send, receive] = data.as_slice() else {
        unreachable!("{data:#?}")
    };
    assert_eq!(
        *send,
        json!({
            "sqs": {"sort": "exit", "type": "single.sync", "queue": queue},
            "sdk": {"custom": {"tags": {"endpoint": host()}}},
        })
    );
    assert_eq!(
        receive["sqs"],
        json!({"sort": "exit", "type": "receive.sync", "queue": queue, "size": 1})
    );
    assert!(receive["sdk"]["custom"]["tags"]["wait_ms"].is_u64());
    assert_eq!(agent.violations(), []);
}

#[test]
fn the_life_of_a_queue() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = start(&agent);
    assert_eq!(app.ask("queues"), "done");
    flushed(&mut app);
    let data = data(&agent, 6, "sqs");
    let types: Vec<&Value> = data.iter().map(|data| &data["sqs"]["type"]).collect();
    let expected = [
        "create.queue",
        "get.queue",
        "purge.queue",
        "delete.queue",
        "get.queue",
    ];
    assert_eq!(types, expected);
    for data in &data[..4] {
        let queue = data["sqs"]["queue"].as_str().unwrap();
        assert!(
            queue.starts_with("http") && queue.ends_with("/short-lived"),
            "{queue}"
        );
    }
    assert_eq!(data[4]["sqs"]["queue"], "short-lived");
    let error = data[4]["sqs"]["error"].as_str().unwrap();
    assert!(error.starts_with("QueueDoesNotExist"), "{error}");
    assert_eq!(agent.violations(), []);
}

#[test]
fn objects_and_items() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = start(&agent);
    assert_eq!(app.ask("storage"), "done");
    assert_eq!(flushed(&mut app), 10);
    let objects: Vec<Value> = data(&agent, 10, "s3")
        .into_iter()
        .map(|mut data| data["s3"].take())
        .collect();
    let object = |op: &str, key: &str| json!({"op": op, "bucket": "teas", "key": key, "region": "us-east-1"});
    assert_eq!(objects[0]["op"], "createBucket");
    assert_eq!(objects[1], object("put", "list/7"));
    assert_eq!(objects[2], object("get", "list/7"));
    assert_eq!(objects[3], object("metadata", "none"), "to ask is no error");
    assert_eq!(objects[4]["op"], "get");
    let error = objects[4]["error"].as_str().unwrap();
    assert!(error.starts_with("NoSuchKey"), "{error}");

    let items = data(&agent, 10, "dynamodb");
    let item = |op: &str| {
        json!({
            "dynamodb": {"op": op, "table": "teas", "region": "us-east-1"},
            "sdk": {"custom": {"tags": {"endpoint": host()}}},
        })
    };
    assert_eq!(items[0]["dynamodb"]["op"], "deleteTable");
    assert_eq!(items[1..], [item("create"), item("put"), item("get")]);
    assert!(!json!(agent.spans()).to_string().contains("hidden-7"));
    assert_eq!(agent.violations(), []);
}
