//! Tests of rendered traces, findings, processes and services.

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
            "● 00:00:01.000Z trace 8448eb211c80319c  2 services  6 spans  41 ms  2 errors",
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
    assert!(text.lines().all(|line| text::width(line) <= 60), "{text}");
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

/// Text that could steer a terminal, in every place that comes from outside.
#[test]
fn nothing_from_outside_steers_the_terminal() {
    let evil = "a\x1b[2J\u{9b}1m\u{202e}\u{2028}\u{200b}\nFORGED\r\x07";
    let mut data = json!({"service": evil, "http": {"method": evil, "url": evil, "path": evil, "error": evil, "status": evil}});
    data["sdk"] = json!({"name": evil});
    let mut trace = span("1", None, "g.http", 1, 1, 1, data.clone());
    for key in ["lt", "crid", "crtp"] {
        trace[key] = evil.into();
    }
    trace["ec"] = 1.into();
    let unknown = span("2", Some("1"), evil, 2, 1, 1, data);
    let trace = Trace::of(evil, &[trace, unknown], evil);
    let mut report = crate::validate::Report::new(1, evil.to_owned(), Some(1), evil);
    report.set_service(Some(evil));
    report.text(crate::Rule::Json, evil, evil, evil);
    let found = report.findings().0.remove(0);
    let text = |text: &str| text.to_owned();
    let notices = [
        (5, Notice::Trace(trace)),
        (1, Notice::Violation(found)),
        (1, Notice::Event(json!({"title": evil, "text": evil}))),
        (
            1,
            Notice::Named {
                pid: 1,
                name: text(evil),
            },
        ),
        (
            1,
            Notice::Refused {
                header: "Host",
                value: text(evil),
            },
        ),
        (
            1,
            Notice::Announced {
                pid: 1,
                plugin: text(evil),
                name: text(evil),
                again: true,
            },
        ),
    ];
    let harmless = |shown: &str| {
        let lines = shown.lines();
        lines
            .clone()
            .all(|line| clean(line) == line && !line.starts_with("FORGED"))
    };
    for (lines, event) in notices {
        let shown = notice(&event, Style::plain());
        assert!(harmless(&shown), "{shown:?}");
        assert_eq!(shown.lines().count(), lines, "{shown}");
        let json = printable_json(&event.to_json().to_string());
        assert!(harmless(&json), "{json:?}");
    }
    let health = crate::Service {
        name: text(evil),
        ..Default::default()
    };
    assert!(harmless(&service(&health, Style::plain())));
}

#[test]
fn a_status_that_is_none_is_not_shown() {
    for status in [Value::Null, json!("x"), json!({}), json!(-1), json!(true)] {
        let data = json!({"http": {"method": "GET", "path": "/a", "status": status}});
        let text = tree(
            &Trace::of("1", &[span("1", None, "g.http", 1, 1, 1, data)], "s"),
            Style::plain(),
        );
        assert!(
            text.contains("GET /a  ") && !text.contains("null"),
            "{text}"
        );
    }
}

#[test]
fn what_few_traces_have() {
    let mut entry = span("1", None, "g.http", 1, 1_764_547_267_412, 1, json!({}));
    entry["lt"] = "0af7651916cd43dd8448eb211c80319c".into();
    entry["sy"] = true.into();
    entry["crtp"] = "web".into();
    entry["crid"] = "abc".into();
    let text = tree(
        &Trace::of("8448eb211c80319c", &[entry], "s"),
        Style::plain(),
    );
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("● 00:01:07.412Z trace 8448eb211c80319c  1 service  1 span"));
    assert_eq!(
        lines[1],
        "  long id 0af7651916cd43dd8448eb211c80319c  synthetic  correlation web abc"
    );
}

/// Two processes of one service, and the way from one into the other.
#[test]
fn processes_of_one_service_are_told_apart() {
    let of = |pid: u64, s: &str, p: Option<&str>, k: u8| {
        let data = json!({"service": "shop", "http": {"method": "GET", "path": "/a"}});
        let mut span = span(s, p, "g.http", k, 1, 1, data);
        span["f"] = json!({"e": pid.to_string()});
        span
    };
    let spans = [
        of(7, "1", None, 1),
        of(7, "2", Some("1"), 2),
        of(8, "3", Some("2"), 1),
    ];
    let text = tree(&Trace::of("1", &spans, "s"), Style::plain());
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[1].starts_with("  shop (7)  entry"), "{text}");
    assert!(lines[2].starts_with("  └ exit"), "{text}");
    assert!(lines[3].starts_with("    └ shop (8)  entry"), "{text}");
    let text = tree(&Trace::of("1", &spans[..2], "s"), Style::plain());
    assert!(text.contains("  shop  entry"), "{text}");
}

#[test]
fn lines_fit_at_any_width() {
    let wide = json!({"service": "カタログ・サービス", "http": {"method": "GET", "url": "http://ホスト:9001/とても/長い/パス/です/items/7", "status": 200}});
    let mut spans = vec![span("1", None, "http", 2, 1, 1, wide.clone())];
    for n in 2..40_u64 {
        let parent = (n - 1).to_string();
        let mut below = span(&n.to_string(), Some(&parent), "http", 2, n, 1, wide.clone());
        below["ec"] = 1.into();
        below["data"]["http"]["error"] = "長い".repeat(100).into();
        spans.push(below);
    }
    let trace = Trace::of("8448eb211c80319c", &spans, "s");
    for columns in [60, 80, 100, 200] {
        let text = tree(&trace, Style::plain().width(columns));
        for line in text.lines() {
            assert!(text::width(line) <= columns, "{columns} {line}");
        }
    }
    let text = tree(&trace, Style::plain().width(100));
    let first = text.lines().nth(1).unwrap_or_default();
    assert!(first.contains("…") && first.contains("/items/7"), "{first}");
}

#[test]
fn findings_name_the_service() {
    let mut report = crate::validate::Report::new(3, "POST /x".to_owned(), Some(7), "rust");
    report.missing(crate::Rule::TraceId, "/0/t");
    report.set_service(Some("storefront"));
    report.text(crate::Rule::SpanId, "/0/s", "1", "is short");
    let findings = report.findings().0;
    let shown = |at: usize| finding(&findings[at], Style::plain());
    assert_eq!(
        shown(0),
        "! process 7 violates trace-id at /0/t: is missing [#3 POST /x]"
    );
    assert_eq!(
        shown(1),
        "! storefront violates span-id at /0/s (1): is short [#3 POST /x]"
    );
}

#[test]
fn one_is_no_plural() {
    let one = crate::Service {
        name: "shop".to_owned(),
        calls: 1,
        instances: 1,
        ..Default::default()
    };
    assert_eq!(
        service(&one, Style::plain()),
        "shop              1 call, 0.0 % with errors, 0 ms on average, 95 % within 0 ms, 1 instance"
    );
    let process = process(&crate::Process::new(7, "rust"), Style::plain());
    assert_eq!(
        process,
        "pid 7             process 7 (rust), 0 spans, 0 metrics bodies"
    );
    let mut losing = crate::Process::new(7, "rust");
    let lost = json!({"pid": 7, "metrics": {
        "spans": {"entriesInside": 1, "exitsOutside": 2, "intermediatesOutside": 3},
    }});
    losing.add_metrics(1, &lost);
    assert_eq!(losing.lost_spans(), 6);
    assert_eq!(
        super::process(&losing, Style::plain()),
        "pid 7             process 7 (rust), 0 spans, 1 metrics body, 6 spans lost in the wrong \
         place: see instana::status()"
    );
}
