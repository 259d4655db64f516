//! Rules from the environment, and what becomes of spans under them.

use crate::record::{Family, Kind};
use crate::testing::Recorder;
use crate::trace::propagation::{Extract, Header, Incoming, Inject};
use crate::trace::span::http;
use crate::trace::span::http::Http;
use crate::{Span, entry_span, exit_span};

crate::section! {
    struct Redis = "redis" {
        command: text(64),
        connection: text(128),
    }
}

crate::section! {
    struct Kafka = "kafka" {
        access: text(16),
        service: text(256),
    }
}

crate::section! {
    struct Postgres = "pg" {
        stmt: text(4_000),
    }
}

static REDIS: Family = Family::new("redis", Kind::Exit, Redis::SECTION, "databases");
static KAFKA: Family = Family::new("kafka", Kind::Entry, Kafka::SECTION, "messaging");
static POSTGRES: Family = Family::new("postgres", Kind::Exit, Postgres::SECTION, "databases");

/// What a call that goes out would carry.
#[derive(Debug, Default)]
struct Sent(Vec<(Header, String)>);

impl Inject for Sent {
    fn set(&mut self, header: Header, value: &[u8]) {
        self.0
            .push((header, String::from_utf8_lossy(value).into_owned()));
    }

    fn remove(&mut self, _: Header) {}
}

impl Extract for Sent {
    fn first(&self, header: Header) -> Option<&[u8]> {
        let found = self.0.iter().find(|(name, _)| *name == header);
        found.map(|(_, value)| value.as_bytes())
    }

    fn each(&self, header: Header, value: &mut dyn FnMut(&[u8])) {
        self.first(header).into_iter().for_each(value);
    }
}

fn sent(span: &Span) -> Sent {
    let mut sent = Sent::default();
    span.inject(&mut sent);
    sent
}

fn text(sent: &Sent, header: Header) -> Option<String> {
    let value = sent.first(header)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn get(path: &str) -> Span {
    let mut entry = Span::entry(&http::ENTRY, &Incoming::none());
    Http::record(&mut entry, |http| {
        http.method("GET").path(path).host("shop:8080");
    });
    entry.decide();
    entry
}

fn redis(command: &str) -> Span {
    let mut exit = Span::exit(&REDIS);
    Redis::record(&mut exit, |redis| {
        redis.command(command).connection("cache-1:6379");
    });
    exit.decide();
    exit
}

fn postgres() -> Span {
    let mut exit = Span::exit(&POSTGRES);
    Postgres::record(&mut exit, |pg| {
        pg.stmt("select 1");
    });
    exit.decide();
    exit
}

/// Names of the spans that are recorded of an HTTP request with a call each to
/// redis and to PostgreSQL, and work in between, from the first to end on.
fn recorded(variables: &[(&str, &str)]) -> Vec<String> {
    let recorder = Recorder::builder().environment(variables).build();
    recorder.enter(|| {
        get("/orders/7").enter(|| {
            redis("GET").end();
            crate::span("price").enter(|| postgres().end());
        });
    });
    let spans = recorder.spans();
    spans.iter().map(|span| span.name()).collect()
}

const ALL: [&str; 4] = ["redis", "postgres", "sdk", "g.http"];

#[test]
fn categories_and_types_are_switched_off() {
    let table: [(&str, &[&str]); 14] = [
        ("false", &ALL),
        ("true", &[]),
        ("redis", &["postgres", "sdk", "g.http"]),
        (" Redis ; postgresql", &["sdk", "g.http"]),
        ("databases", &["sdk", "g.http"]),
        ("databases,!redis", &["redis", "sdk", "g.http"]),
        ("!redis,databases", &["redis", "sdk", "g.http"]),
        ("pg", &["redis", "sdk", "g.http"]),
        ("postgres", &["redis", "sdk", "g.http"]),
        ("sdk", &["redis", "postgres", "g.http"]),
        // Below nothing, exits are nothing.
        ("http", &[]),
        ("protocols,logging", &[]),
        ("messaging", &ALL),
        ("couchbase", &ALL),
    ];
    for (disabled, expected) in table {
        let names = recorded(&[("INSTANA_TRACING_DISABLE", disabled)]);
        assert_eq!(names, expected, "{disabled}");
    }
}

#[test]
fn a_call_that_is_switched_off_passes_the_context_on() {
    let recorder = Recorder::builder()
        .environment(&[("INSTANA_TRACING_DISABLE", "redis")])
        .build();
    let (carried, parent) = recorder.enter(|| {
        let mut entry = get("/");
        let parent = entry.context().span_id();
        (entry.enter(|| sent(&redis("GET"))), parent)
    });
    assert_eq!(text(&carried, Header::SpanId), parent);
    assert_eq!(text(&carried, Header::Level).as_deref(), Some("1"));
    assert_eq!(recorder.spans().len(), 1);
}

#[test]
fn below_an_entry_that_is_switched_off_the_callers_trace_goes_on() {
    let recorder = Recorder::builder()
        .environment(&[("INSTANA_TRACING_DISABLE", "http")])
        .build();
    recorder.enter(|| {
        let incoming = Incoming::from_ids("1234", "5678");
        let mut entry = Span::entry(&http::ENTRY, &incoming);
        assert!(!entry.is_recording());
        entry.enter(|| redis("GET").end());
        Span::entry(&http::ENTRY, &Incoming::suppressed()).enter(|| {
            assert_eq!(
                text(&sent(&redis("GET")), Header::Level).as_deref(),
                Some("0")
            );
        });
    });
    let exit = recorder.span("redis", Kind::Exit);
    assert_eq!(
        (exit.trace(), exit.parent()),
        ("0000000000001234".into(), "0000000000005678".into())
    );
    assert_eq!(recorder.spans().len(), 1);
}

#[test]
fn everything_but_exceptions() {
    let recorder = Recorder::builder()
        .environment(&[("INSTANA_TRACING_DISABLE", "!http")])
        .build();
    recorder.enter(|| get("/").enter(|| redis("GET").end()));
    assert_eq!(recorder.spans().len(), 2, "an exception of nothing");
}

#[test]
fn ignored_endpoints_match_everything_they_give() {
    let table: [(&str, &[&str]); 7] = [
        ("redis:get", &["postgres", "sdk", "g.http"]),
        ("redis:set,GET", &["postgres", "sdk", "g.http"]),
        ("REDIS:*", &["postgres", "sdk", "g.http"]),
        ("redis:set", &ALL),
        ("kafka:consume;redis:type", &ALL),
        ("http:get", &[]),
        ("http:post", &ALL),
    ];
    for (ignored, expected) in table {
        let names = recorded(&[("INSTANA_IGNORE_ENDPOINTS", ignored)]);
        assert_eq!(names, expected, "{ignored}");
    }
}

#[test]
fn an_ignored_call_tells_its_callee() {
    for (suppression, level) in [("false", "0"), ("true", "1")] {
        let recorder = Recorder::builder()
            .environment(&[
                ("INSTANA_IGNORE_ENDPOINTS", "redis:get"),
                ("INSTANA_IGNORE_ENDPOINTS_DISABLE_SUPPRESSION", suppression),
            ])
            .build();
        let (carried, parent) = recorder.enter(|| {
            let mut entry = get("/");
            let parent = entry.context().span_id();
            (entry.enter(|| sent(&redis("GET"))), parent)
        });
        assert_eq!(text(&carried, Header::Level).as_deref(), Some(level));
        let expected = parent.filter(|_| level == "1");
        assert_eq!(text(&carried, Header::SpanId), expected);
    }
}

#[test]
fn below_an_ignored_entry_nothing_is_recorded_unless_that_is_switched_off() {
    for (suppression, expected) in [("false", 0), ("true", 1)] {
        let recorder = Recorder::builder()
            .environment(&[
                ("INSTANA_IGNORE_ENDPOINTS", "http:get"),
                ("INSTANA_IGNORE_ENDPOINTS_DISABLE_SUPPRESSION", suppression),
            ])
            .build();
        recorder.enter(|| get("/health").enter(|| redis("GET").end()));
        assert_eq!(recorder.spans().len(), expected);
    }
}

#[test]
fn endpoints_and_connections() {
    use crate::IgnoredEndpoint;
    let kafka = |topics: &str| {
        let mut entry = Span::entry(&KAFKA, &Incoming::none());
        Kafka::record(&mut entry, |kafka| {
            kafka.access("consume").service(topics);
        });
        entry.decide();
        entry.is_recording()
    };
    let rules = [
        IgnoredEndpoint::of("kafka")
            .methods(["*"])
            .endpoints(["audit", "Heartbeat"]),
        IgnoredEndpoint::of("http")
            .endpoints(["/health"])
            .methods(["get"]),
        IgnoredEndpoint::of("redis").connections(["CACHE-1"]),
    ];
    let recorder = Recorder::builder().ignored_endpoints(rules).build();
    recorder.enter(|| {
        assert!(!kafka("audit"));
        assert!(!kafka("audit,heartbeat"));
        assert!(kafka("audit,orders"), "not all of the batch");
        assert!(!get("/health").is_recording());
        assert!(get("/healthy").is_recording());
        get("/").enter(|| assert!(!redis("SET").is_recording()));
    });
}

const HEALTH: (&str, &str) = (
    "INSTANA_TRACING_FILTER_EXCLUDE_HEALTH_ATTRIBUTES",
    "type;http|http.path;/orders,/ready;startswith",
);

#[test]
fn filters_leave_out_what_matches_all_their_attributes() {
    assert!(recorded(&[HEALTH]).is_empty(), "and suppress what is below");
    let name = "INSTANA_TRACING_FILTER_EXCLUDE_A_ATTRIBUTES";
    let table: [(&str, &[&str]); 9] = [
        ("type;redis", &["postgres", "sdk", "g.http"]),
        ("category;databases|kind;exit", &["sdk", "g.http"]),
        ("category;databases|kind;entry", &ALL),
        ("redis.command;GET,SET", &["postgres", "sdk", "g.http"]),
        ("redis.command;get", &ALL),
        ("redis.command;*", &["postgres", "sdk", "g.http"]),
        ("pg.stmt;elect;contains", &["redis", "sdk", "g.http"]),
        (
            "redis.connection;:6379;endswith",
            &["postgres", "sdk", "g.http"],
        ),
        ("sdk.name;price", &["redis", "g.http"]),
    ];
    for (attributes, expected) in table {
        let names = recorded(&[(name, attributes)]);
        assert_eq!(names, expected, "{attributes}");
    }
}

#[test]
fn include_is_stronger_than_exclude() {
    let include = (
        "INSTANA_TRACING_FILTER_INCLUDE_ORDERS_ATTRIBUTES",
        "http.path;/orders/7",
    );
    assert_eq!(recorded(&[HEALTH, include]), ALL);
    let other = (
        "INSTANA_TRACING_FILTER_INCLUDE_ORDERS_ATTRIBUTES",
        "http.path;/orders/8",
    );
    assert!(recorded(&[HEALTH, other]).is_empty());
    // Whether it is included is seen at the end: nothing below is suppressed.
    let late = (
        "INSTANA_TRACING_FILTER_INCLUDE_ERRORS_ATTRIBUTES",
        "http.status;500",
    );
    assert_eq!(recorded(&[HEALTH, late]), ["redis", "postgres", "sdk"]);
}

#[test]
fn what_is_known_late_drops_that_span_alone() {
    let name = "INSTANA_TRACING_FILTER_EXCLUDE_A_ATTRIBUTES";
    for (attributes, kept) in [
        ("http.status;404", false),
        ("http.status;500", true),
        ("http.header.x-kind;bot", false),
        ("sdk.custom.tags.retry;1", false),
        ("sdk.custom.tags.retry;2", true),
        ("sdk.custom.tags.ok;true", false),
    ] {
        let recorder = Recorder::builder()
            .environment(&[(name, attributes)])
            .build();
        recorder.enter(|| {
            let mut entry = get("/");
            entry.enter(|| redis("GET").end());
            entry.tag("retry", 1);
            entry.tag("ok", true);
            Http::record(&mut entry, |http| {
                http.status(200).status(404).header("X-Kind", "bot");
            });
        });
        let names: Vec<_> = recorder.spans().iter().map(|span| span.name()).collect();
        let expected: &[&str] = if kept {
            &["redis", "g.http"]
        } else {
            &["redis"]
        };
        assert_eq!(names, expected, "{attributes}");
    }
}

#[test]
fn without_suppression_a_filter_drops_its_span_alone() {
    let suppression = ("INSTANA_TRACING_FILTER_EXCLUDE_HEALTH_SUPPRESSION", "false");
    assert_eq!(
        recorded(&[HEALTH, suppression]),
        ["redis", "postgres", "sdk"]
    );
}

#[test]
fn own_spans_follow_rules_too() {
    let name = "INSTANA_TRACING_FILTER_EXCLUDE_JOBS_ATTRIBUTES";
    let recorder = Recorder::builder()
        .environment(&[(name, "sdk.name;cleanup|kind;entry")])
        .build();
    recorder.enter(|| {
        entry_span("cleanup").enter(|| exit_span("call").end());
        entry_span("report").enter(|| exit_span("call").end());
    });
    assert_eq!(recorder.spans().len(), 2);
}

#[test]
fn code_can_be_suppressed() {
    let recorder = Recorder::new();
    recorder.enter(|| {
        get("/").enter(|| {
            let ids = crate::suppress(|| {
                let carried = sent(&redis("GET"));
                assert_eq!(text(&carried, Header::Level).as_deref(), Some("0"));
                assert_eq!(text(&carried, Header::TraceId), None);
                entry_span("inner").end();
                crate::span("work").end();
                crate::suppress(|| carried)
            });
            let parent = text(&ids, Header::Traceparent).unwrap();
            let trace = crate::Context::current().trace_id().unwrap();
            assert!(parent.contains(&trace), "{parent} goes on with {trace}");
            assert!(parent.ends_with("-02"), "{parent}: random, not sampled");
            redis("GET").end();
        });
    });
    let names: Vec<_> = recorder.spans().iter().map(|span| span.name()).collect();
    assert_eq!(names, ["redis", "g.http"]);
}

#[test]
fn outside_of_a_trace_callees_are_told_too() {
    let recorder = Recorder::new();
    let carried = recorder.enter(|| crate::suppress(|| sent(&redis("GET"))));
    assert_eq!(text(&carried, Header::Level).as_deref(), Some("0"));
    let parent = text(&carried, Header::Traceparent).unwrap();
    let (zeros, rest) = parent.strip_prefix("00-").unwrap().split_at(16);
    assert_eq!(zeros, "0".repeat(16));
    assert!(!rest.starts_with(zeros), "{parent}");
}

#[test]
fn futures_can_be_suppressed() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use crate::FutureExt;

    let recorder = Recorder::new();
    let future = recorder.enter(|| async { redis("GET").end() }.suppress());
    let polled = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(()));
    assert!(recorder.spans().is_empty());
}
