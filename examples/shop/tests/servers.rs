//! The shop with the servers that `cargo xtask test` brings up.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that meets something unexpected ends there"
)]

use std::process::{Command, Output};

use serde_json::Value;

const SERVERS: [&str; 3] = ["POSTGRES_URL", "REDIS_URL", "KAFKA_BROKERS"];

/// What such a variable says.
fn variable(name: &str) -> String {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| {
            panic!("{name} is not set: eval \"$(cargo xtask services up postgres redis kafka)\"")
        })
}

fn shop(servers: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    // Nothing listens on port 1, so the shop starts an agent of its own.
    command
        .arg("--json")
        .env("INSTANA_AGENT_PORT", "1")
        .env("INSTANA_AGENT_HOST", "127.0.0.1");
    for name in SERVERS {
        command.env_remove(name);
    }
    command.envs(servers.iter().copied()).output().unwrap()
}

/// The spans that are left, of which an agent has nothing to say.
fn spans(servers: &[(&str, &str)]) -> Vec<Value> {
    let output = shop(servers);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("not-a-secret"), "a password in {text}");
    let mut report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["violations"], Value::Array(Vec::new()));
    let traces = report["traces"].as_array_mut().unwrap().iter_mut();
    traces
        .flat_map(|trace| trace["spans"].as_array_mut().unwrap().drain(..))
        .collect()
}

/// What the catalogue asks for each item, by name; the items in the order of the load.
fn looks(spans: &[Value]) -> Vec<Vec<String>> {
    let mut entries: Vec<&Value> = spans
        .iter()
        .filter(|span| span["k"] == 1 && span["data"]["http"]["path_tpl"] == "/items/{id}")
        .collect();
    entries.sort_by_key(|entry| entry["ts"].as_u64());
    let below = |entry: &&Value| {
        let below = spans
            .iter()
            .filter(|span| span["p"] == entry["s"] && span["n"] != "http");
        let mut names: Vec<String> = below.map(name).collect();
        names.sort_unstable();
        names
    };
    entries.iter().map(below).collect()
}

fn name(span: &Value) -> String {
    match span["n"].as_str().unwrap() {
        "redis" => span["data"]["redis"]["command"].as_str().unwrap(),
        "sdk" => span["data"]["sdk"]["name"].as_str().unwrap(),
        name => name,
    }
    .to_owned()
}

/// `host:port` of a URL.
fn address(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    let rest = rest.rsplit('@').next().unwrap();
    rest.split('/').next().unwrap()
}

#[test]
fn goods_are_in_postgresql_with_redis_in_front() {
    let (postgres, redis) = (variable("POSTGRES_URL"), variable("REDIS_URL"));
    let spans = spans(&[("POSTGRES_URL", &postgres), ("REDIS_URL", &redis)]);
    let looks = looks(&spans);
    assert_eq!(looks.len(), 13);
    assert_eq!(looks[0], ["get", "postgres", "setex"], "the first book");
    for again in &looks[1..4] {
        assert_eq!(*again, ["get"], "kept");
    }
    for nothing in &looks[4..6] {
        assert_eq!(*nothing, ["get", "postgres"], "nothing to keep");
    }
    for span in &spans {
        match span["n"].as_str().unwrap() {
            "postgres" => {
                let pg = &span["data"]["pg"];
                assert_eq!(pg["stmt"], "SELECT name FROM goods WHERE id = $1");
                let port = pg["port"].as_str().unwrap();
                let server = format!("{}:{port}", pg["host"].as_str().unwrap());
                assert_eq!(server, address(&postgres), "{span}");
            }
            "redis" => assert_eq!(
                span["data"]["redis"]["connection"],
                address(&redis),
                "{span}"
            ),
            _ => {}
        }
        assert_ne!(span["data"]["sdk"]["name"], "sdk.database");
    }
}

#[test]
fn one_server_alone_will_do() {
    let (postgres, redis) = (variable("POSTGRES_URL"), variable("REDIS_URL"));
    for look in looks(&spans(&[("POSTGRES_URL", &postgres)])) {
        assert_eq!(look, ["postgres"]);
    }
    let looks = looks(&spans(&[("REDIS_URL", &redis)]));
    assert_eq!(looks[0], ["get", "sdk.database", "setex"]);
    assert_eq!(looks[1], ["get"]);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    for (name, url) in [
        (
            "POSTGRES_URL",
            "postgres://shop:not-a-secret@127.0.0.1:1/shop",
        ),
        ("REDIS_URL", "redis://shop:not-a-secret@127.0.0.1:1"),
    ] {
        let output = shop(&[(name, url)]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(name), "{text}");
        assert!(!text.contains("not-a-secret"), "{text}");
    }
}

#[cfg(feature = "kafka")]
#[test]
fn an_order_is_one_trace_from_the_request_through_kafka_into_the_worker() {
    let brokers = variable("KAFKA_BROKERS");
    let spans = spans(&[("KAFKA_BROKERS", &brokers)]);
    let entries: Vec<&Value> = spans
        .iter()
        .filter(|span| span["k"] == 1 && span["data"]["http"]["path_tpl"] == "/orders/{id}")
        .collect();
    if brokers == "mock" {
        assert!(entries.is_empty(), "that is no broker's address");
        return;
    }
    assert_eq!(entries.len(), 3);
    let child = |parent: &Value, n: &str| {
        let mut found = spans
            .iter()
            .filter(|span| span["p"] == parent["s"] && span["n"] == n);
        let child = found
            .next()
            .unwrap_or_else(|| panic!("no {n} below {parent}"));
        assert!(found.next().is_none(), "one {n} below {parent}");
        assert_eq!(child["t"], parent["t"]);
        child
    };
    for entry in entries {
        let sent = child(entry, "kafka");
        let consumed = child(sent, "kafka");
        let asked = child(child(consumed, "http"), "g.http");
        for (span, kind, service) in [
            (entry, 1, "storefront"),
            (sent, 2, "storefront"),
            (consumed, 1, "worker"),
            (asked, 1, "pricing"),
        ] {
            assert_eq!(
                (&span["k"], &span["ec"]),
                (&kind.into(), &0.into()),
                "{span}"
            );
            assert_eq!(span["data"]["service"], service, "{span}");
        }
        assert_eq!(sent["data"]["kafka"]["access"], "send");
        assert_eq!(consumed["data"]["kafka"]["access"], "consume");
        assert_eq!(
            consumed["data"]["kafka"]["service"],
            sent["data"]["kafka"]["service"]
        );
        assert_ne!(consumed["f"]["e"], sent["f"]["e"], "another process");
    }
}
