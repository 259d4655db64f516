//! Records to JSON.

mod secrets;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::Span;
use crate::base::clock::Timeline;
use crate::config::{Code, Config, Environment, Sources};
use crate::pipeline::export::*;
use crate::pipeline::host_agent::size::MAX_BODY;
use crate::pipeline::port::{Encoded, Limits, SpanSource as _};
use crate::policy::{LiveSettings, Settings};
use crate::record::AsTag;
use crate::record::fields::Fields;
use crate::record::head::{Head, Record, Traits, flag};
use crate::record::segment::Pool;
use crate::record::{Family, Kind, sdk};
use crate::secrets::Matcher;
use crate::testing::Recorder;
use crate::trace::propagation::Incoming;
use crate::trace::span::http;
use crate::trace::span::http::Http;

fn encode(record: &Record<'_>, from: &str, service: Option<&str>) -> Result<Value, String> {
    let secrets = Matcher::default();
    let surroundings = BatchContext::new(from, service, &secrets, Timeline::now());
    let mut out = Vec::new();
    Encoder::default()
        .encode(record, None, &surroundings, &mut out)
        .map_err(|error| format!("{error:?}"))?;
    serde_json::from_slice(&out).map_err(|error| format!("{error}: {}", out.escape_ascii()))
}

#[test]
fn the_whole_envelope() {
    let mut attributes = Vec::new();
    let mut fields = Fields::envelope(&mut attributes);
    fields.bytes(
        crate::record::fields::envelope::LONG_TRACE,
        &0x0af7_6519_16cd_43dd_u64.to_ne_bytes(),
    );
    fields.text(crate::record::fields::envelope::CORRELATION_TYPE, "web", 10);
    fields.text(crate::record::fields::envelope::CORRELATION_ID, "a\"b", 10);
    let head = Head {
        trace: 0x8448_eb21_1c80_319c,
        span: 1,
        parent: 2,
        start: crate::base::clock::ticks(),
        end: crate::base::clock::ticks(),
        traits: Traits::new(http::ENTRY.index(), flag::SYNTHETIC | flag::W3C_PARENT).with_errors(2),
    };
    let record = Record {
        head,
        attributes: &attributes,
    };
    let mut span = encode(&record, r#"{"e":"17","h":"uuid"}"#, Some("shop")).unwrap();
    let ts = span.as_object_mut().unwrap().remove("ts").unwrap();
    assert!(
        ts.as_u64()
            .unwrap()
            .abs_diff(crate::base::clock::unix_time().as_millis() as u64)
            < 60_000
    );
    assert_eq!(
        span,
        json!({
            "t": "8448eb211c80319c", "s": "0000000000000001", "p": "0000000000000002",
            "lt": "0af7651916cd43dd8448eb211c80319c", "n": "g.http", "k": 1, "d": 0, "ec": 2,
            "sy": true, "tp": true, "crtp": "web", "crid": "a\"b", "f": {"e": "17", "h": "uuid"},
            "data": {"service": "shop", "http": {}},
        })
    );
}

#[test]
fn a_record_of_an_unknown_family_is_left_out() {
    let head = Head {
        trace: 1,
        span: 1,
        parent: 0,
        start: 0,
        end: 0,
        traits: Traits::new(60_000, 0),
    };
    let mut out = b"before".to_vec();
    let secrets = Matcher::default();
    let surroundings = BatchContext::new("", None, &secrets, Timeline::now());
    let result = Encoder::default().encode(
        &Record {
            head,
            attributes: &[],
        },
        None,
        &surroundings,
        &mut out,
    );
    assert!(result.is_err());
    assert_eq!(out, b"before");
}

#[test]
fn secrets_are_redacted_wherever_a_field_may_hold_them() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
        Http::record(&mut entry, |http| {
            http.url("http://user:pw@host/a;secret=x/b?password=y#z")
                .path("/a;api_key=x/b")
                .params("a=1&password=x")
                .header("x-secret-token", "x");
        });
        entry.error("could not reach https://user:pw@host/?password=x");
    });
    let json = recorder.span("g.http", Kind::Entry).json();
    assert!(
        !json.contains("pw@") && !json.contains("=x") && !json.contains("=y"),
        "{json}"
    );
    assert!(
        json.contains(r#""params":"a=1&password=<redacted>""#),
        "{json}"
    );
}

#[test]
fn a_span_without_attributes_still_has_its_section() {
    let recorder = Recorder::new();
    recorder.enter(|| Span::entry(&http::ENTRY, &Incoming::none()).end());
    assert!(recorder.span("g.http", Kind::Entry).has("data.http"));
}

proptest! {
    /// Whatever the application says, the agent gets valid JSON that says the same.
    #[test]
    fn any_text_arrives_as_it_was(method in ".{0,30}", name in ".{0,200}", tag in ".{0,300}", number: i64) {
        let recorder = Recorder::new();
        recorder.enter(|| {
            let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
            Http::record(&mut entry, |http| { http.method(&method).host(&name); });
            entry.tag(&name, tag.as_str());
            entry.tag("number", number);
            entry.enter(|| crate::span(&name).end());
        });
        let entry = recorder.span("g.http", Kind::Entry);
        if method.len() <= 32 && !method.is_empty() {
            prop_assert_eq!(entry.text("data.http.method"), Some(method));
        }
        prop_assert_eq!(entry.integer("data.sdk.custom.tags.number"), Some(number));
        prop_assert_eq!(recorder.spans().len(), 2);
    }

    /// Bytes that are no attributes never make it fail.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let head = Head {
            trace: 1, span: 2, parent: 0, start: 0, end: 0, traits: Traits::new(http::ENTRY.index(), 0),
        };
        let record = Record { head, attributes: &bytes };
        prop_assert_eq!(encode(&record, "", None).err(), None);
    }
}

crate::section! {
    /// Each shape there is.
    struct Shapes = "shapes" {
        /// A text.
        text: text(300),
        /// A query.
        query: query(300),
        /// A URL.
        url: url(300),
        /// A path.
        path: path(300),
        /// A connection string.
        dsn: dsn(300),
        /// Several texts.
        list: list(300),
        /// Several texts below each name.
        lists: lists(255),
        /// Headers.
        header: headers(300),
        /// A number.
        integer: integer,
        /// Another number.
        float: float,
        /// Yes or no.
        boolean: boolean,
        /// A line of a log.
        message: message(300),
        /// An error.
        error: error(300),
    }
}

static SHAPES: Family = Family::new("shapes", Kind::Entry, Shapes::SECTION, "protocols");

proptest! {
    /// Text with all that JSON and redaction look at.
    #[test]
    fn any_value_of_any_shape_is_valid_json(
        texts in proptest::collection::vec("[\\x00-\\x1f\"\\\\:/?#@&=;,%<>aé€😀password]{0,60}", 1..9),
        number: f64,
    ) {
        let recorder = Recorder::new();
        recorder.enter(|| {
            let mut entry = Span::entry(&SHAPES, &Incoming::none());
            for text in &texts {
                Shapes::record(&mut entry, |shapes| {
                    shapes.text(text).message(text).query(text).url(text).path(text).dsn(text)
                        .list(text).lists(text, texts.iter().map(String::as_str)).header(text, text).integer(7).float(number).boolean(true);
                });
                entry.tag(text, text.as_str());
                entry.tag("float", number);
                entry.service(text);
                entry.error(text);
            }
        });
        let entry = recorder.span("shapes", Kind::Entry);
        let json: Value = serde_json::from_str(&entry.json()).unwrap();
        prop_assert_eq!(&json["data"]["shapes"]["list"], &json!(texts));
        prop_assert_eq!(entry.integer("data.shapes.integer"), Some(7));
        let float = entry.float("data.shapes.float");
        prop_assert_eq!(float.is_some(), number.is_finite());
        // The reader's last digit may differ.
        prop_assert!(float.is_none_or(|float| (float - number).abs() <= number.abs() * 1e-15));
        let last = texts.last().unwrap();
        prop_assert_eq!(entry.text("data.shapes.text"), Some(last.clone()).filter(|text| !text.is_empty()));
        let names = texts.iter().collect::<HashSet<_>>();
        prop_assert_eq!(json["data"]["shapes"]["header"].as_object().unwrap().len(), names.len());
        prop_assert_eq!(json["data"]["shapes"]["lists"].as_object().unwrap().len(), names.len());
        for name in names {
            prop_assert_eq!(&json["data"]["shapes"]["lists"][name], &json!(texts));
            let tag = &json["data"]["sdk"]["custom"]["tags"][name];
            let may_be_secret = name.contains([':', '=', '%', '\\', 'p']);
            prop_assert!(tag == &json!(name) || may_be_secret && tag.is_string(), "{}", tag);
        }
    }
}

#[test]
fn an_object_of_lists_has_the_last_list_of_each_name() {
    crate::section! {
        struct Graph = "graph" {
            /// Below each object.
            fields: lists(5),
        }
    }
    static QUERY: Family = Family::new("graph", Kind::Entry, Graph::SECTION, "protocols");
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = Span::entry(&QUERY, &Incoming::none());
        Graph::record(&mut entry, |graph| {
            graph
                .fields("order", ["id"])
                .fields("hello", [])
                .fields("\"shop\"", ["a\"b", "", "too long"])
                .fields("order", ["id", "name"]);
            // Together they do not fit into a span.
            for _ in 0..2 {
                graph.fields("many", [&"x".repeat(5); 2_000].map(String::as_str));
            }
        });
    });
    let span: Value = serde_json::from_str(&recorder.span("graph", Kind::Entry).json()).unwrap();
    let mut fields = span["data"]["graph"]["fields"].clone();
    let many = fields.as_object_mut().unwrap().remove("many").unwrap();
    assert_eq!(many.as_array().unwrap().len(), 2_000);
    assert_eq!(
        fields,
        json!({"hello": [], "\"shop": ["a\"b", "", "too l"], "order": ["id", "name"]})
    );
}

fn http_head() -> Head {
    Head {
        trace: 1,
        span: 1,
        traits: Traits::new(http::ENTRY.index(), 0),
        ..Head::default()
    }
}

fn with_tags(tags: u32) -> Vec<u8> {
    let mut attributes = Vec::new();
    for tag in 0..tags {
        let name = char::from_u32(0x4e00 + tag).unwrap().to_string();
        Fields::new(&mut attributes, &sdk::SECTION).tag(&name, tag.as_tag());
    }
    attributes
}

fn shortest_time(attributes: &[u8]) -> Duration {
    let head = http_head();
    let times = (0..5).map(|_| {
        let start = Instant::now();
        encode(&Record { head, attributes }, "", None).unwrap();
        start.elapsed()
    });
    times.min().unwrap()
}

#[test]
fn a_span_full_of_tags_is_written_in_linear_time() {
    let (few, many) = (
        shortest_time(&with_tags(85)),
        shortest_time(&with_tags(8_500)),
    );
    // 100 times as many; with each pair of them it would be 10,000 times as long.
    assert!(
        many < few * 1_000,
        "{few:?} for 85 tags, {many:?} for 8,500"
    );
}

/// A section for which the registry had no room has the index 0.
#[test]
fn attributes_of_an_unknown_section_are_left_out() {
    let header = (7_u32 << 16).to_ne_bytes();
    let attributes = [header.as_slice(), b"unknown"].concat();
    let head = http_head();
    let attributes = &attributes;
    let span = encode(&Record { head, attributes }, "", Some("shop")).unwrap();
    assert_eq!(span["data"], json!({"service": "shop", "http": {}}));
}

#[test]
fn tags_with_secret_names_and_texts_are_hidden() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        let mut entry = Span::entry(&SHAPES, &Incoming::none());
        entry.tag("password", "a b");
        entry.tag("api_key", 4711);
        entry.tag("Authorization", "Basic a");
        entry.tag("to", "https://u:p@h/?secret=x");
        entry.tag("customer", "a@b: 10:30, x=1");
        entry.tag("items", 3);
        entry.log_with("m", |entry| {
            entry.field("secret", true);
            entry.field("plain", "é");
        });
    });
    let entry = recorder.span("shapes", Kind::Entry);
    let json: Value = serde_json::from_str(&entry.json()).unwrap();
    let custom = &json["data"]["sdk"]["custom"];
    let expected = json!({
        "password": "<redacted>", "api_key": "<redacted>", "Authorization": "<redacted>",
        "to": "https://<redacted>:<redacted>@h/?secret=<redacted>",
        "customer": "a@b: 10:30, x=1", "items": 3,
    });
    assert_eq!(custom["tags"], expected);
    let (_, log) = custom["logs"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(
        log,
        &json!({"message": "m", "secret": "<redacted>", "plain": "é"})
    );
}

#[test]
fn of_tags_with_one_name_the_last_is_written() {
    for different in [2, 30] {
        let recorder = Recorder::new();
        recorder.enter(|| {
            let mut entry = Span::entry(&SHAPES, &Incoming::none());
            for number in 0..100 {
                let name = format!("tag{}", number % different);
                entry.tag(&name, number);
                Shapes::record(&mut entry, |shapes| {
                    shapes.header(&name, &number.to_string());
                });
            }
        });
        let entry = recorder.span("shapes", Kind::Entry);
        for number in 100 - different..100 {
            let name = format!("tag{}", number % different);
            let path = format!("data.sdk.custom.tags.{name}");
            assert_eq!(entry.integer(&path), Some(i64::from(number)));
            let path = format!("data.shapes.header.{name}");
            assert_eq!(entry.text(&path), Some(number.to_string()));
            assert_eq!(entry.json().matches(&format!("\"{name}\":")).count(), 2);
        }
    }
}

crate::section! {
    struct Redis = "redis" {
        command: text(64),
    }
}

static REDIS: Family = Family::new("redis", Kind::Exit, Redis::SECTION, "databases");

#[test]
fn a_span_that_stands_for_several_says_so() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        Span::entry(&http::ENTRY, &Incoming::none()).enter(|| {
            for size in [0, 1, 3, usize::MAX] {
                let mut exit = Span::exit(&REDIS);
                Redis::record(&mut exit, |redis| {
                    redis.command("GET");
                });
                exit.batch_size(size);
                if size == 3 {
                    exit.batch_size(7);
                }
            }
        });
    });
    let sizes: Vec<_> = recorder
        .spans()
        .iter()
        .map(|span| span.integer("b.s"))
        .collect();
    assert_eq!(
        sizes,
        [None, None, Some(3), Some(i64::from(u32::MAX)), None]
    );
}

/// A batch must not stand for spans of the next request.
#[test]
fn batches_end_where_a_request_is_full() {
    let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
    pool.open(64 << 20, usize::MAX, || ());
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    live.replace(Settings::new(Config {
        span_batching: true,
        ..Config::default()
    }));
    let now = crate::base::clock::ticks();
    let mut text = Vec::new();
    for part in 0..4 {
        let tag = "x".repeat(3_900);
        Fields::new(&mut text, &sdk::SECTION).tag(&format!("part{part}"), tag.as_tag());
    }
    for span in 1..=900 {
        let is_large = span % 2 == 0;
        let (family, attributes) = if is_large {
            (&http::EXIT, text.as_slice())
        } else {
            (&REDIS, &[][..])
        };
        let head = Head {
            trace: 1,
            span,
            parent: 1_000,
            start: now,
            end: now,
            traits: Traits::new(family.index(), 0),
        };
        pool.record_shared(&head, attributes);
    }
    let mut exporter = Exporter::new(pool, live);
    exporter.most_time = Duration::from_secs(600);
    let (mut calls, mut large, mut requests) = (0, 0, 0);
    let origin = r#"{"e":"1"}"#;
    let mut body = Vec::new();
    while let Encoded::Batch(_) = exporter.encode(origin, &FULL, &mut body) {
        requests += 1;
        assert!(body.len() <= 5 << 20, "{} bytes", body.len());
        let spans: Vec<Value> = serde_json::from_slice(&body).unwrap();
        large += spans.iter().filter(|span| span["n"] == "http").count();
        let batches: Vec<_> = spans.iter().filter(|span| span["n"] == "redis").collect();
        assert_eq!(batches.len(), 1, "in request {requests}");
        calls += batches[0]["b"]["s"].as_u64().unwrap();
        exporter.acknowledge(false);
    }
    assert_eq!((calls, large, requests), (450, 450, 2));
    assert_eq!(pool.counts().sent, 900);
}

/// What rules leave out is not what there is to send.
#[test]
fn behind_spans_that_are_left_out_others_are_found() {
    let pool: &'static Pool = Box::leak(Box::new(Pool::new()));
    pool.open(16 << 20, usize::MAX, || ());
    let live: &'static LiveSettings = Box::leak(Box::new(LiveSettings::off()));
    let variables = [("INSTANA_TRACING_DISABLE", "redis")];
    let (_, config, problems) =
        Sources::read(&Environment::from_pairs(&variables), Code::default());
    assert_eq!(problems, [] as [&str; 0]);
    live.replace(Settings::new(config));
    for span in 1..=2_501 {
        let family = if span > 2_500 { &http::ENTRY } else { &REDIS };
        let head = Head {
            trace: 1,
            span,
            traits: Traits::new(family.index(), 0),
            ..Head::default()
        };
        pool.record_shared(&head, &[]);
    }
    let mut exporter = Exporter::new(pool, live);
    let origin = r#"{"e":"1"}"#;
    let mut body = Vec::new();
    assert!(matches!(
        exporter.encode(origin, &FULL, &mut body),
        Encoded::Batch(_)
    ));
    let spans: Vec<Value> = serde_json::from_slice(&body).unwrap();
    assert_eq!((spans.len(), &spans[0]["n"]), (1, &json!("g.http")));
    exporter.acknowledge(false);
    assert_eq!(exporter.encode(origin, &FULL, &mut body), Encoded::Nothing);
    let counts = pool.counts();
    assert_eq!((counts.sent, counts.ignored, counts.waiting), (1, 2_500, 0));
}

const FULL: Limits = Limits {
    bytes: MAX_BODY,
    span: MAX_BODY,
};

#[test]
fn free_tags_and_fields_are_redacted_before_they_are_cut() {
    let recorder = Recorder::new();
    let url = format!("{}http://bob:correct-horse-hunter2@db/x", "x".repeat(3_971));
    let pair = format!(
        "{} Pwd=correct horse {};Server=h",
        "x".repeat(3_950),
        "y ".repeat(40)
    );
    let plain = "é".repeat(3_000);
    recorder.enter(|| {
        let mut entry = Span::entry(&SHAPES, &Incoming::none());
        entry.tag("url", url.as_str());
        entry.tag("plain", plain.as_str());
        entry.log_with("m", |entry| {
            entry.field("pair", pair.as_str());
        });
        Span::entry(&SHAPES, &Incoming::none()).log(&url);
    });
    for span in recorder.spans() {
        let json = span.json();
        for part in ["correct", "horse", "hunt"] {
            assert!(!json.contains(part), "{json}");
        }
        if let Some(text) = span.text("data.sdk.custom.tags.plain") {
            assert_eq!(text, "é".repeat(2_000));
        }
    }
    assert_eq!(recorder.spans().len(), 2);
}
