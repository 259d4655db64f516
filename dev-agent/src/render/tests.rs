use serde_json::{Value, json};

use super::*;
use crate::{Notice, Trace};

fn span(s: &str, p: Option<&str>, n: &str, k: u8, ts: u64, d: u64, data: Value) -> Value {
    let mut span =
        json!({"t": "8448eb211c80319c", "s": s, "n": n, "k": k, "ts": ts, "d": d, "ec": 0});
    span["data"] = data;
    if let Some(p) = p {
        span["p"] = p.into();
    }
    span
}

fn shop() -> Trace {
    let mut failed = span(
        "5",
        Some("4"),
        "postgres",
        2,
        1016,
        4,
        json!({"service": "catalog", "pg": {"stmt": "select *\n from items where id = $1", "host": "db", "error": "relation \"items\" does not exist\u{1b}[2J"}}),
    );
    failed["ec"] = 1.into();
    let mut entry = span(
        "4",
        Some("3"),
        "g.http",
        1,
        1014,
        9,
        json!({"service": "catalog", "http": {"method": "GET", "path": "/items/7", "path_tpl": "/items/{id}", "status": 500}}),
    );
    entry["ec"] = 1.into();
    let mut batch = span(
        "2",
        Some("1"),
        "redis",
        2,
        1002,
        1,
        json!({"service": "storefront", "redis": {"command": "get", "connection": "r:6379"}}),
    );
    batch["b"] = json!({"s": 3, "d": 1});
    let spans = [
        span(
            "1",
            None,
            "g.http",
            1,
            1000,
            41,
            json!({"service": "storefront", "http": {"method": "GET", "path_tpl": "/products/{id}", "status": 200}}),
        ),
        batch,
        span(
            "3",
            Some("1"),
            "http",
            2,
            1010,
            20,
            json!({"service": "storefront", "http": {"method": "GET", "url": "http://127.0.0.1:9001/items/7", "status": 500}}),
        ),
        entry,
        failed,
        span(
            "6",
            Some("1"),
            "sdk",
            3,
            1032,
            0,
            json!({"service": "storefront", "sdk": {"name": "price"}}),
        ),
    ];
    Trace::of("8448eb211c80319c", &spans, "?")
}

#[test]
fn tree_of_a_trace() {
    let text = tree(&shop(), Style::plain());
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "● trace 8448eb211c80319c  2 services  6 spans  41 ms  2 errors",
            "  storefront  entry GET /products/{id}                           200     41 ms  ████████████████████",
            "  ├ exit  3 × get → redis r:6379                                          1 ms  ██",
            "  ├ exit  GET http://127.0.0.1:9001/items/7                      500     20 ms      ███████████",
            "  │ └ catalog  entry GET /items/{id}                             500      9 ms        ██████",
            "  │   └ exit  select * from items where id = $1 → postgres db             4 ms         ███",
            "  │       ✗ relation \"items\" does not exist·[2J",
            "  └ local price                                                          <1 ms                 █",
        ]
    );
}

#[test]
fn a_place_is_told_once_and_whole() {
    for (name, data, expected) in [
        (
            "kafka",
            json!({"kafka": {"access": "send", "service": "orders"}}),
            "send orders → kafka  ",
        ),
        (
            "redis",
            json!({"redis": {"command": "get", "connection": "r:6379"}}),
            "get → redis r:6379  ",
        ),
        (
            "postgres",
            json!({"pg": {"stmt": "select name, price from goods where name = $1", "host": "db", "port": "5432"}}),
            "select name, price from goods w… → postgres db:5432  ",
        ),
    ] {
        let text = tree(
            &Trace::of("1", &[span("1", None, name, 2, 1, 1, data)], "s"),
            Style::plain(),
        );
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn plain_text_has_no_escapes_and_fits() {
    let text = tree(&shop(), Style::plain().width(60));
    assert!(!text.contains('\x1b'));
    assert!(
        text.lines().all(|line| line.chars().count() <= 62),
        "{text}"
    );
}

#[test]
fn errors_are_red() {
    let text = tree(&shop(), Style::colored());
    assert!(text.contains("\x1b[31m2 errors\x1b[0m"));
    assert!(text.contains("\x1b[31m  ✗ relation"));
    assert!(!text.contains("\x1b[2J"));
}

#[test]
fn long_traces_are_cut() {
    let spans: Vec<_> = (0..250)
        .map(|n| {
            span(
                &n.to_string(),
                None,
                "sdk",
                3,
                n,
                1,
                json!({"sdk": {"name": "x"}}),
            )
        })
        .collect();
    let text = tree(&Trace::of("t", &spans, "s"), Style::plain());
    assert_eq!(text.lines().count(), 202);
    assert!(text.ends_with("… 50 more spans"));
}

#[test]
fn durations() {
    let texts: Vec<_> = [0, 1, 999, 1000, 1234, 61_000].map(duration).into();
    assert_eq!(
        texts,
        ["<1 ms", "1 ms", "999 ms", "1.00 s", "1.23 s", "1 min 1 s"]
    );
}

#[test]
fn notices() {
    let found = Notice::Announced {
        pid: 7,
        plugin: "rust".to_owned(),
        name: "shop\x07".to_owned(),
        again: false,
    };
    assert_eq!(
        notice(&found, Style::plain()),
        "▶ process 7 found: shop· (rust)"
    );
    let event = Notice::Event(json!({"title": "deployed", "text": "v2"}));
    assert_eq!(notice(&event, Style::plain()), "◆ event deployed v2");
}
