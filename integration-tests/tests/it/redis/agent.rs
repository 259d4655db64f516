//! What an agent gets.

use std::time::Duration;

use instana_dev_agent::{Config, DevAgent};
use serde_json::{Value, json};

use super::{address, url};
use crate::app::App;

const LONG: Duration = Duration::from_secs(30);

#[test]
fn the_very_json() {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask(&format!("redis {}/1", url())), "done");
    let spans = agent.wait_for_spans(5, LONG).unwrap();
    assert_eq!(agent.violations(), []);
    let entry = spans.iter().find(|span| span["n"] == "sdk").unwrap();
    let mut exits: Vec<Value> = spans
        .iter()
        .filter(|span| span["k"] == 2)
        .cloned()
        .collect();
    for exit in &mut exits {
        assert_eq!((&exit["t"], &exit["p"]), (&entry["t"], &entry["s"]));
        let fields = exit.as_object_mut().unwrap();
        for measured in ["t", "s", "p", "ts", "d", "f", "stack"] {
            fields.remove(measured);
        }
    }
    let connection = format!("{}/1", address(&url()));
    let exit = |errors: u64, redis: Value| {
        let mut redis = redis;
        redis["connection"] = json!(connection);
        json!({"n": "redis", "k": 2, "ec": errors, "data": {"redis": redis}})
    };
    let mut multi = exit(
        0,
        json!({"command": "multi", "subCommands": ["get", "del"]}),
    );
    multi["b"] = json!({"s": 2});
    let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
    let expected = [
        exit(0, json!({"command": "setex"})),
        exit(0, json!({"command": "get"})),
        exit(1, json!({"command": "lpush", "error": wrong})),
        multi,
    ];
    let without_service: Vec<Value> = exits
        .into_iter()
        .map(|mut exit| {
            exit["data"].as_object_mut().unwrap().remove("service");
            exit
        })
        .collect();
    assert_eq!(without_service, expected);
}
