//! What reaches the agent, byte for byte.

use instana_dev_agent::{Config, DevAgent};
use serde_json::{Value, json};

use super::*;
use crate::app::App;

/// The exits of a process that was given this URL, in the order in which they began.
fn exits(url: &str, answer: &str, expected: usize) -> Vec<Value> {
    let agent = DevAgent::start(Config::new()).unwrap();
    let mut app = App::for_agent(&agent, &[], &[]);
    assert_eq!(app.ask(&format!("sql {url}")), answer);
    app.flush();
    let spans = agent.wait_for_spans(1 + expected, LONG).unwrap();
    agent.assert_clean();
    let all = format!("{spans:?} {:?}", agent.requests());
    assert!(
        !all.contains("hidden") && !all.contains("not-a-secret"),
        "{all}"
    );
    let entry = spans.iter().find(|span| span["k"] == 1).unwrap().clone();
    let mut exits: Vec<Value> = spans.into_iter().filter(|span| span["k"] == 2).collect();
    exits.sort_by_key(|exit| exit["ts"].as_u64());
    assert_eq!(exits.len(), expected);
    for exit in &mut exits {
        assert_eq!((&exit["p"], &exit["t"]), (&entry["s"], &entry["t"]));
        let exit = exit.as_object_mut().unwrap();
        for name in ["t", "s", "p", "ts", "d", "f", "stack"] {
            exit.remove(name);
        }
    }
    exits
}

/// Takes the tag out: it is a number, and small.
fn take_wait(exit: &mut Value) {
    for name in ["pool_wait_ms", "first_row_ms"] {
        let tags = exit["data"]["sdk"]["custom"]["tags"]
            .as_object_mut()
            .unwrap();
        if let Some(millis) = tags.remove(name) {
            assert!(millis.as_u64().unwrap() < 30_000);
        }
    }
}

fn on_a_server(server: &str, name: &str, section: &str, told: &str) {
    let url = variable(server);
    let (address, database) = url.rsplit_once('@').unwrap().1.split_once('/').unwrap();
    let (host, port) = address.split_once(':').unwrap();
    let user = url.split_once("//").unwrap().1.split_once(':').unwrap().0;
    let mut spans = exits(&url, "true false", 2);
    for exit in &mut spans {
        take_wait(exit);
    }
    let error = spans[1]["data"][section]["error"].take();
    assert!(error.as_str().unwrap().contains(told), "{error}");
    assert_eq!(
        spans,
        [
            json!({"n": name, "k": 2, "ec": 0, "data": {
                section: {"stmt": "SELECT 1", "host": host, "port": port, "user": user, "db": database},
                "sdk": {"custom": {"tags": {"rows": 1}}},
            }}),
            json!({"n": name, "k": 2, "ec": 1, "data": {
                section: {
                    "stmt": "SELECT * FROM no_such_table", "error": null,
                    "host": host, "port": port, "user": user, "db": database,
                },
                "sdk": {"custom": {"tags": {}}},
            }}),
        ]
    );

    let password = url.split_once('@').unwrap().0.rsplit_once(':').unwrap().1;
    let wrong = url.replacen(password, "hidden-2", 1);
    let spans = exits(&wrong, "refused", 1);
    assert_eq!(spans[0]["ec"], 1);
    let error = spans[0]["data"][section]["error"].as_str().unwrap();
    assert!(error.contains(user), "{error}");
}

#[test]
fn of_postgresql() {
    on_a_server("POSTGRES_URL", "postgres", "pg", "no_such_table");
}

#[test]
fn of_mariadb() {
    on_a_server("MARIADB_URL", "mysql", "mysql", "no_such_table");
}

#[test]
fn of_sqlite() {
    let mut spans = exits("sqlite::memory:", "true false", 2);
    for exit in &mut spans {
        take_wait(exit);
    }
    let error = spans[1]["data"]["sdk"]["custom"]["tags"]["db.error"].take();
    assert!(error.as_str().unwrap().contains("no such table"), "{error}");
    let sdk =
        |tags: Value| json!({"name": "sdk.database", "type": "exit", "custom": {"tags": tags}});
    let one = sdk(json!({
        "db.type": "sql", "db.instance": ":memory:", "db.statement": "SELECT 1", "rows": 1,
    }));
    let none = sdk(json!({
        "db.type": "sql", "db.instance": ":memory:", "db.error": null,
        "db.statement": "SELECT * FROM no_such_table",
    }));
    assert_eq!(
        spans,
        [
            json!({"n": "sdk", "k": 2, "ec": 0, "data": {"sdk": one}}),
            json!({"n": "sdk", "k": 2, "ec": 1, "data": {"sdk": none}}),
        ]
    );
}
