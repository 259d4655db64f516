//! Spans with one fault each, and the rule that finds it.

use instana_dev_agent::{Config, DevAgent, Rule};
use serde_json::{Value, json};

use crate::session::{Change, change, each, removed, span, spans, violated};
use crate::support::{Client, now_ms};

/// As many spans as fit into 5 MiB are well: tracers send by bytes.
#[test]
fn thousands_of_spans() {
    let found = violated("rust", |session| {
        let kafka = session.spans[3].clone();
        let many = (0..8000).map(|n| {
            let mut span = kafka.clone();
            span["s"] = format!("{:016x}", 0x100 + n).into();
            span
        });
        session.spans = many.collect();
    });
    assert_eq!(found, []);
}

#[test]
fn envelopes() {
    each(
        "rust",
        vec![
            (
                Rule::SpanShape,
                "/5",
                change(|session| session.spans.as_array_mut().unwrap().push(json!("span"))),
            ),
            (Rule::SpanKey, "/0/error", span("/0/error", json!(true))),
            (Rule::NullMember, "/3/p", span("/3/p", Value::Null)),
            (
                Rule::TraceId,
                "/3/t",
                span("/3/t", json!("999999999999999F")),
            ),
            (
                Rule::TraceId,
                "/3/t",
                span("/3/t", json!("0000000000000000")),
            ),
            (Rule::SpanId, "/3/s", span("/3/s", json!("8888"))),
            (Rule::SpanId, "/3/s", span("/3/s", removed())),
            (Rule::ParentId, "/0/p", span("/0/p", json!(17))),
            (
                Rule::ParentId,
                "/3/p",
                change(|session| {
                    session.spans[3]["p"] = session.spans[3]["s"].clone();
                    let entry = session.spans[3].as_object_mut().unwrap();
                    entry.remove("crid");
                    entry.remove("crtp");
                }),
            ),
            (
                Rule::LongTraceId,
                "/0/lt",
                span("/0/lt", json!("0af7651916cd43dd8448eb211c80319d")),
            ),
            (
                Rule::LongTraceIdPlace,
                "/1/lt",
                span("/1/lt", json!("0af7651916cd43dd8448eb211c80319c")),
            ),
            (Rule::SpanName, "/3/n", span("/3/n", json!(""))),
            (Rule::SpanKind, "/2/k", span("/2/k", json!("3"))),
            (
                Rule::Timestamp,
                "/0/ts",
                span("/0/ts", json!(now_ms() / 1000)),
            ),
            (Rule::Timestamp, "/0/ts", span("/0/ts", json!(1.5))),
            (Rule::Duration, "/0/d", span("/0/d", json!(-1))),
            (Rule::ErrorCount, "/0/ec", span("/0/ec", json!(true))),
            (Rule::ErrorCount, "/2/ec", span("/2/ec", removed())),
            (Rule::From, "/0/f", span("/0/f", removed())),
            (Rule::From, "/0/f/pid", span("/0/f/pid", json!("1"))),
            (Rule::FromEntity, "/0/f/e", span("/0/f/e", json!("1"))),
            (
                Rule::NumericEntity,
                "/0/f/e",
                span("/0/f/e", json!(std::process::id())),
            ),
            (Rule::FromHost, "/0/f/h", span("/0/f/h", json!("other"))),
            (Rule::FromHostless, "/0/f", span("/0/f/hl", json!(true))),
            (
                Rule::Stack,
                "/1/stack/0",
                span("/1/stack/0/file", json!("a.rs")),
            ),
            (Rule::Synthetic, "/3/sy", span("/3/sy", json!(1))),
            (Rule::W3cParent, "/1/tp", span("/1/tp", json!(true))),
            (
                Rule::Ancestor,
                "/0/ia",
                span("/0/ia/t", json!("FA2375D711A4CA0F")),
            ),
            (Rule::Correlation, "/3/crid", span("/3/crtp", removed())),
            (Rule::StackPlace, "/2/stack", span("/2/stack", frames(1))),
            (Rule::StackLength, "/1/stack", span("/1/stack", frames(501))),
            (Rule::Batch, "/4/b", span("/4/b/s", json!(0))),
            (Rule::BatchDuration, "/4/b/d", span("/4/b/d", json!(7))),
            (Rule::BatchSize, "/4/b/s", span("/4/b", json!({"s": 1}))),
            (Rule::Data, "/3/data", span("/3/data", json!([]))),
            (
                Rule::Service,
                "/0/data/service",
                span("/0/data/service", json!(7)),
            ),
            (
                Rule::DuplicateSpan,
                "/5/s",
                change(|session| {
                    let again = session.spans[2].clone();
                    session.spans.as_array_mut().unwrap().push(again);
                }),
            ),
        ],
    );
}

fn frames(count: usize) -> Value {
    vec![json!({"m": "orders::load", "c": "src/repo.rs", "n": 88}); count].into()
}

/// A log below the entry, with this section and error count.
fn logged(log: Value, errors: u64) -> Change {
    change(move |session| {
        let mut span = session.spans[1].clone();
        span["s"] = "6666666666666666".into();
        span["n"] = "log.go".into();
        span["ec"] = errors.into();
        span["data"] = json!({"log": log});
        session.spans.as_array_mut().unwrap().push(span);
    })
}

#[test]
fn logs() {
    for (level, errors) in [("WARN", 0), ("info", 0), ("Error", 1), ("fatal", 1)] {
        let log = logged(
            json!({"message": "low", "level": level, "logger": "shop"}),
            errors,
        );
        assert_eq!(violated("rust", log.0), [], "{level}");
    }
    each(
        "rust",
        vec![
            (
                Rule::LogMessage,
                "/5/data/log/message",
                logged(json!({"level": "WARN"}), 0),
            ),
            (
                Rule::LogMessage,
                "/5/data/log/message",
                logged(json!({"message": "", "level": "WARN"}), 0),
            ),
            (
                Rule::LogLevel,
                "/5/data/log/level",
                logged(json!({"message": "low", "level": "loud"}), 0),
            ),
            (
                Rule::LogLevel,
                "/5/data/log/level",
                logged(json!({"message": "low"}), 0),
            ),
            (
                Rule::LogError,
                "/5/data/log/level",
                logged(json!({"message": "low", "level": "ERROR"}), 0),
            ),
            (
                Rule::LogError,
                "/5/data/log/level",
                logged(json!({"message": "low", "level": "WARN"}), 1),
            ),
            (
                Rule::SectionKey,
                "/5/data/log/file",
                logged(
                    json!({"message": "low", "level": "WARN", "file": "a.rs"}),
                    0,
                ),
            ),
        ],
    );
}

#[test]
fn sections() {
    each(
        "rust",
        vec![
            (
                Rule::KindFitsName,
                "/1/k",
                change(|session| {
                    session.spans[1]["k"] = 3.into();
                    session.spans[1].as_object_mut().unwrap().remove("stack");
                }),
            ),
            (
                Rule::SectionMissing,
                "/1/data/pg",
                change(|session| session.spans[1]["data"] = json!({})),
            ),
            (
                Rule::SectionExtra,
                "/0/data/https",
                span("/0/data/https", json!({})),
            ),
            (
                Rule::SectionKey,
                "/0/data/http/query",
                span("/0/data/http/query", json!("a=b")),
            ),
            (
                Rule::SectionType,
                "/0/data/http/status",
                span("/0/data/http/status", json!("200")),
            ),
            (
                Rule::SectionType,
                "/0/data/http/header",
                span("/0/data/http/header", json!({"x": ["1"]})),
            ),
            (
                Rule::PortType,
                "/1/data/pg/port",
                span("/1/data/pg/port", json!(5432)),
            ),
            (
                Rule::HttpStatus,
                "/0/data/http/status",
                span("/0/data/http/status", json!(0)),
            ),
            (
                Rule::HttpMethod,
                "/0/data/http/method",
                span("/0/data/http/method", json!("GET /")),
            ),
            (
                Rule::HttpUrl,
                "/4/data/http/url",
                span("/4/data/http/url", json!("http://stock/7?a=b")),
            ),
            (
                Rule::HttpUrl,
                "/4/data/http/url",
                span("/4/data/http/url", json!("http://me:pw@stock/7")),
            ),
            (
                Rule::HttpPath,
                "/0/data/http/path",
                span("/0/data/http/path", json!("/orders/7?a=b")),
            ),
            (
                Rule::HttpParams,
                "/0/data/http/params",
                span("/0/data/http/params", json!("?q=1")),
            ),
            (
                Rule::Secret,
                "/0/data/http/params",
                span("/0/data/http/params", json!("q=1&api_key=s3cr3t")),
            ),
            (
                Rule::ServerError,
                "/0/data/http/status",
                span("/0/data/http/status", json!(503)),
            ),
            (
                Rule::ServerError,
                "/4/data/http/status",
                span("/4/data/http/status", json!(503)),
            ),
            (
                Rule::SdkName,
                "/2/data/sdk/name",
                span("/2/data/sdk/name", removed()),
            ),
            (
                Rule::SdkType,
                "/2/data/sdk/type",
                span("/2/data/sdk/type", json!("entry")),
            ),
            (
                Rule::SdkCustom,
                "/2/data/sdk/custom",
                span("/2/data/sdk/custom", json!({"tag": {}})),
            ),
        ],
    );
}

#[test]
fn links() {
    each(
        "rust",
        vec![
            (
                Rule::ParentKnown,
                "postgres 00aa11bb22cc33dd /p",
                span("/1/p", json!("1f2e3d4c5b6a7989")),
            ),
            (
                Rule::RootExit,
                "postgres 00aa11bb22cc33dd /p",
                span("/1/p", removed()),
            ),
            (
                Rule::ExitUnderExit,
                "http 5555555555555555 /p",
                span("/4/p", json!("00aa11bb22cc33dd")),
            ),
            (
                Rule::IntermediateUnderExit,
                "sdk 0c0d0e0f10111213 /p",
                span("/2/p", json!("00aa11bb22cc33dd")),
            ),
        ],
    );
}

#[test]
fn raw_traces() {
    let agent = DevAgent::start(Config::new()).expect("an agent");
    let mut client = Client::of(&agent);
    let mut all = spans(7);
    for span in all.as_array_mut().unwrap() {
        span["f"].as_object_mut().unwrap().remove("h");
    }
    all[3].as_object_mut().unwrap().remove("f");
    assert_eq!(
        client
            .post("/com.instana.plugin.generic.rawtrace", &all)
            .status,
        200
    );
    agent.assert_clean();
    all[2]["s"] = "4444444444444444".into();
    all[2]["x"] = 1.into();
    client.post("/com.instana.plugin.generic.rawtrace", &json!([all[2]]));
    let rules: Vec<_> = agent
        .violations()
        .iter()
        .map(|violation| violation.rule)
        .collect();
    assert_eq!(rules, [Rule::SpanKey]);
}
