//! The decision table, and what goes out.

use proptest::prelude::*;

use crate::record::Kind;
use crate::testing::Recorder;
use crate::trace::context::W3cTrace;
use crate::trace::propagation::*;
use crate::trace::span::http;
use crate::{Span, Tracer};

const T: &str = "fa2375d711a4ca0f";
const S: &str = "37cb2d6e9b1c078a";
const LONG: &str = "0373e5f7aca1cdef3483a5fe1cd42e30";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01";
const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-00";
const IN: &str = "congo=ucfJifl5GOE,in=fa2375d711a4ca0f;02468acefdb97531,rojo=00f067aa0ba902b7";

/// Headers in order; also what a client writes into.
#[derive(Clone, Debug, Default)]
struct Headers(Vec<(Header, String)>);

impl Headers {
    fn of(list: &[(Header, &str)]) -> Self {
        Self(
            list.iter()
                .map(|(header, value)| (*header, (*value).to_owned()))
                .collect(),
        )
    }

    fn get(&self, header: Header) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| *name == header)
            .map(|(_, value)| value.as_str())
    }
}

impl Extract for Headers {
    fn first(&self, header: Header) -> Option<&[u8]> {
        self.get(header).map(str::as_bytes)
    }

    fn each(&self, header: Header, value: &mut dyn FnMut(&[u8])) {
        for (_, text) in self.0.iter().filter(|(name, _)| *name == header) {
            value(text.as_bytes());
        }
    }
}

impl Inject for Headers {
    fn set(&mut self, header: Header, value: &[u8]) {
        self.remove(header);
        self.0
            .push((header, String::from_utf8(value.to_vec()).unwrap()));
    }

    fn remove(&mut self, header: Header) {
        self.0.retain(|(name, _)| *name != header);
    }
}

/// The row's outcome: "new", "suppressed" or "trace parent lt tp ia".
fn outcome(headers: &[(Header, &str)], w3c_correlation: bool) -> String {
    let recorder = Recorder::builder().w3c_correlation(w3c_correlation).build();
    let tracer = recorder.tracer();
    let span = tracer.entry(
        &http::ENTRY,
        &Incoming::extract(&Headers::of(headers), &tracer),
    );
    if span.context().is_suppressed() {
        span.end();
        assert!(recorder.spans().is_empty());
        return "suppressed".to_owned();
    }
    span.end();
    let span = recorder.span("g.http", Kind::Entry);
    let mut outcome = match span.text("p") {
        None => "new".to_owned(),
        Some(parent) => format!("{} {parent}", span.trace()),
    };
    for field in ["lt", "tp", "ia.t", "ia.p", "crid", "crtp", "sy"] {
        let value = span
            .text(field)
            .or_else(|| span.boolean(field).map(|on| on.to_string()));
        if let Some(value) = value {
            outcome += &format!(" {field}={value}");
        }
    }
    outcome
}

#[test]
fn decision_table() {
    use Header::*;
    let pair = format!("{T} {S}");
    let w3c =
        "8448eb211c80319c b9c7c989f97918e1 lt=0af7651916cd43dd8448eb211c80319c tp=true".to_owned();
    let w3c_in = format!("{w3c} ia.t={T} ia.p=02468acefdb97531");
    const CORRELATED: &str = "1,correlationType=web;correlationId=abc";
    let new = || "new".to_owned();
    let suppressed = || "suppressed".to_owned();
    type Row<'a> = (&'a [(Header, &'a str)], bool, String);
    let rows: Vec<Row<'_>> = vec![
        (&[], true, new()),
        (&[(TraceId, T), (SpanId, S)], true, pair.clone()),
        (
            &[
                (TraceId, " FA2375D711A4CA0F "),
                (SpanId, "\t37CB2D6E9B1C078A"),
            ],
            true,
            pair.clone(),
        ),
        (
            &[(TraceId, LONG), (SpanId, S)],
            true,
            format!("3483a5fe1cd42e30 {S} lt={LONG}"),
        ),
        (
            &[(TraceId, "1fa2375d711a4ca0f"), (SpanId, "1")],
            true,
            format!("{T} 0000000000000001 lt=0000000000000001{T}"),
        ),
        (
            &[
                (TraceId, T),
                (SpanId, S),
                (Traceparent, TRACEPARENT),
                (Tracestate, IN),
            ],
            true,
            pair.clone(),
        ),
        (
            &[(TraceId, T), (SpanId, S), (Traceparent, UNSAMPLED)],
            true,
            pair.clone(),
        ),
        (&[(Traceparent, TRACEPARENT)], true, w3c.clone()),
        (
            &[(Traceparent, TRACEPARENT), (Tracestate, IN)],
            true,
            w3c_in.clone(),
        ),
        (&[(Traceparent, UNSAMPLED)], true, suppressed()),
        (&[(Traceparent, UNSAMPLED), (Level, "1")], true, w3c.clone()),
        (
            &[(Traceparent, UNSAMPLED), (Level, "rubbish")],
            true,
            suppressed(),
        ),
        (
            &[(Traceparent, TRACEPARENT), (Tracestate, IN)],
            false,
            format!("{T} 02468acefdb97531"),
        ),
        (
            &[(Traceparent, UNSAMPLED), (Tracestate, IN)],
            false,
            format!("{T} 02468acefdb97531"),
        ),
        (&[(Traceparent, TRACEPARENT)], false, new()),
        (
            &[(Traceparent, "00-invalid"), (Tracestate, IN)],
            true,
            new(),
        ),
        (
            &[(Traceparent, "00-invalid"), (Tracestate, IN)],
            false,
            new(),
        ),
        (
            &[(TraceId, T), (SpanId, S), (Level, CORRELATED)],
            true,
            "new crid=abc crtp=web".to_owned(),
        ),
        (
            &[(Traceparent, TRACEPARENT), (Level, CORRELATED)],
            true,
            format!("{w3c} crid=abc crtp=web"),
        ),
        (
            &[(TraceId, T), (SpanId, S), (Level, "0")],
            true,
            suppressed(),
        ),
        (
            &[(Level, "0,correlationType=web;correlationId=abc")],
            true,
            suppressed(),
        ),
        (&[(TraceId, T)], true, new()),
        (&[(SpanId, S)], true, new()),
        (
            &[(TraceId, T), (Traceparent, TRACEPARENT)],
            true,
            w3c.clone(),
        ),
        (&[(TraceId, "xyz"), (SpanId, S)], true, new()),
        (&[(TraceId, T), (SpanId, "37cb2d6e9b1c078a0")], true, new()),
        (&[(TraceId, "0000000000000000"), (SpanId, S)], true, new()),
        (
            &[(TraceId, T), (SpanId, S), (Synthetic, "1")],
            true,
            format!("{pair} sy=true"),
        ),
        (&[(TraceId, T), (SpanId, S), (Synthetic, "yes")], true, pair),
        // The list goes on in a repeated header; keys are compared as a whole.
        (
            &[
                (Traceparent, TRACEPARENT),
                (Tracestate, "admin=1;2, a=b "),
                (Tracestate, IN),
            ],
            true,
            w3c_in,
        ),
        (
            &[
                (Traceparent, TRACEPARENT),
                (Tracestate, "admin=1;2,in=nothing"),
            ],
            true,
            w3c,
        ),
    ];
    for (headers, correlation, expected) in rows {
        assert_eq!(
            outcome(headers, correlation),
            expected,
            "{headers:?}, correlation {correlation}"
        );
    }
}

#[test]
fn traceparents() {
    let trace = W3cTrace {
        high: 0x0af7_6519_16cd_43dd,
        low: 0x8448_eb21_1c80_319c,
    };
    let table: [(&str, Option<(bool, bool)>); 17] = [
        (TRACEPARENT, Some((true, false))),
        (UNSAMPLED, Some((false, false))),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-03",
            Some((true, true)),
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-ff",
            Some((true, true)),
        ),
        (
            " 00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01\t",
            Some((true, false)),
        ),
        (
            "cc-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01",
            Some((true, false)),
        ),
        (
            "cc-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01-more",
            Some((true, false)),
        ),
        (
            "cc-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01more",
            None,
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01-more",
            None,
        ),
        (
            "ff-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01",
            None,
        ),
        (
            "00-0AF7651916CD43DD8448EB211C80319C-b9c7c989f97918e1-01",
            None,
        ),
        (
            "00-00000000000000000000000000000000-b9c7c989f97918e1-01",
            None,
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            None,
        ),
        (
            "00_0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01",
            None,
        ),
        (
            "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-0g",
            None,
        ),
        ("00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1", None),
        ("", None),
    ];
    for (value, expected) in table {
        let parsed = w3c::Traceparent::parse(value.as_bytes());
        assert_eq!(
            parsed.map(|parsed| (parsed.sampled, parsed.random)),
            expected,
            "{value:?}"
        );
        if let Some(parsed) = parsed {
            assert_eq!(
                (parsed.trace, parsed.parent),
                (trace, 0xb9c7_c989_f979_18e1)
            );
        }
    }
}

fn outgoing(incoming: &[(Header, &str)], sent: Headers) -> Headers {
    let recorder = Recorder::new();
    let tracer = recorder.tracer();
    let mut out = sent;
    let mut entry = tracer.entry(
        &http::ENTRY,
        &Incoming::extract(&Headers::of(incoming), &tracer),
    );
    entry.enter(|| Span::exit(&http::EXIT).inject(&mut out));
    out
}

#[test]
fn foreign_members_follow_ours_and_stop_at_32() {
    use Header::*;
    let long = format!("long={}", "x".repeat(200));
    let members: Vec<String> = (0..32)
        .map(|n| {
            if n == 5 {
                long.clone()
            } else {
                format!("m{n}=v")
            }
        })
        .collect();
    let (first, second) = members.split_at(20);
    let out = outgoing(
        &[
            (Traceparent, TRACEPARENT),
            (Tracestate, &first.join(",")),
            (Tracestate, &second.join(" , ")),
        ],
        Headers::default(),
    );
    let state: Vec<&str> = out.get(Tracestate).unwrap().split(',').collect();
    assert_eq!(state.len(), 32);
    assert!(state[0].starts_with("in=8448eb211c80319c;"), "{state:?}");
    assert!(!state.contains(&long.as_str()), "the long one goes first");
    assert_eq!(state[1], "m0=v");
    assert_eq!(state[31], "m31=v", "{state:?}");
}

#[test]
fn without_long_members_those_on_the_right_go() {
    use Header::*;
    let members: Vec<String> = (0..32).map(|n| format!("m{n}=v")).collect();
    let out = outgoing(
        &[(Traceparent, TRACEPARENT), (Tracestate, &members.join(","))],
        Headers::default(),
    );
    let state: Vec<&str> = out.get(Tracestate).unwrap().split(',').collect();
    assert_eq!((state.len(), state[1], state[31]), (32, "m0=v", "m30=v"));
}

#[test]
fn of_a_list_that_breaks_the_grammar_nothing_counts() {
    use Header::*;
    for list in ["a@b=1,x", "a=1=2", "A=1", "a=", "@a=1", "a =1"] {
        for list in [format!("{IN},{list}"), format!("{list},{IN}")] {
            let headers = [(Traceparent, TRACEPARENT), (Tracestate, list.as_str())];
            assert!(
                outcome(&headers, true).ends_with("tp=true"),
                "{list}: no ancestor"
            );
            assert_eq!(outcome(&headers, false), "new", "{list}");
            let state = outgoing(&headers, Headers::default());
            let state = state.get(Tracestate).unwrap();
            assert!(
                state.starts_with("in=") && !state.contains(','),
                "{list}: {state}"
            );
        }
    }
}

#[test]
fn of_long_members_as_many_go_out_as_are_allowed() {
    use Header::*;
    let members: Vec<String> = (0..32)
        .map(|n| format!("m{n}={}", "v".repeat(200)))
        .collect();
    let out = outgoing(
        &[(Traceparent, TRACEPARENT), (Tracestate, &members.join(","))],
        Headers::default(),
    );
    let state: Vec<&str> = out.get(Tracestate).unwrap().split(',').collect();
    assert_eq!(state.len(), 32);
    assert!(
        state[1..]
            .iter()
            .all(|sent| members.iter().any(|came| came == sent))
    );
}

#[test]
fn suppressed_calls_take_away_what_was_copied() {
    use Header::*;
    let copied = Headers::of(&[
        (TraceId, T),
        (SpanId, S),
        (Level, "1"),
        (Tracestate, "old=1"),
    ]);
    let out = outgoing(&[(Level, "0")], copied);
    assert_eq!(
        (out.get(TraceId), out.get(SpanId), out.get(Tracestate)),
        (None, None, None)
    );
    assert_eq!(out.get(Level), Some("0"));
    assert!(out.get(Traceparent).unwrap().ends_with("-02"));
}

#[test]
fn each_suppressed_call_has_a_parent_of_its_own_unless_it_came_in_unsampled() {
    let parent = |headers: &[(Header, &str)]| {
        let recorder = Recorder::new();
        let tracer = recorder.tracer();
        let mut entry = tracer.entry(
            &http::ENTRY,
            &Incoming::extract(&Headers::of(headers), &tracer),
        );
        let call = || {
            let mut out = Headers::default();
            Span::exit(&http::EXIT).inject(&mut out);
            out.get(Header::Traceparent).unwrap().to_owned()
        };
        entry.enter(|| (call(), call()))
    };
    let (first, second) = parent(&[(Header::Level, "0"), (Header::Traceparent, TRACEPARENT)]);
    assert_eq!(first[..36], second[..36], "one trace");
    assert_ne!(first[36..52], second[36..52], "two parents");
    let (first, second) = parent(&[(Header::Traceparent, UNSAMPLED)]);
    assert_eq!((first.as_str(), second.as_str()), (UNSAMPLED, UNSAMPLED));
}

#[test]
fn without_a_trace_the_headers_are_left_alone() {
    let copied = Headers::of(&[(Header::TraceId, T)]);
    let mut out = copied.clone();
    Span::exit(&http::EXIT).inject(&mut out);
    assert_eq!(out.0, copied.0);
}

#[test]
fn the_w3c_headers_can_be_left_alone() {
    let recorder = Recorder::builder().w3c_propagation(false).build();
    let mut out = Headers::of(&[(Header::Traceparent, "theirs")]);
    recorder.enter(|| {
        crate::entry_span("job").enter(|| Span::exit(&http::EXIT).inject(&mut out));
    });
    assert_eq!(out.get(Header::Traceparent), Some("theirs"));
    assert_eq!(out.get(Header::Level), Some("1"));
    assert!(out.get(Header::Tracestate).is_none());
}

#[test]
fn extraction_before_init_is_a_decision_like_any_other() {
    let incoming = Incoming::extract(
        &Headers::of(&[(Header::TraceId, T), (Header::SpanId, S)]),
        &Tracer::global(),
    );
    assert!(
        !Tracer::global()
            .entry(&http::ENTRY, &incoming)
            .is_recording()
    );
}

/// Headers as they come in messages: any bytes.
#[derive(Debug)]
struct Bytes(Vec<(Header, Vec<u8>)>);

impl Extract for Bytes {
    fn first(&self, header: Header) -> Option<&[u8]> {
        let found = self.0.iter().find(|(name, _)| *name == header);
        found.map(|(_, value)| value.as_slice())
    }

    fn each(&self, header: Header, value: &mut dyn FnMut(&[u8])) {
        for (_, bytes) in self.0.iter().filter(|(name, _)| *name == header) {
            value(bytes);
        }
    }
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let hex = "[0-9a-fA-F]{1,33}";
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        hex.prop_map(String::into_bytes),
        "[01]( ?, ?correlation(Type|Id)=[a-z]{0,5};?){0,3}".prop_map(String::into_bytes),
        "0[01f]-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3](-x)?".prop_map(String::into_bytes),
        "([a-z]{1,3}=[ -~\\x00\\r\\n]{0,9},|in=[0-9a-f]{16};[0-9a-f]{16},|x=y{150},){0,60}"
            .prop_map(String::into_bytes),
    ]
}

fn any_headers() -> impl Strategy<Value = Bytes> {
    let header = prop_oneof![
        Just(Header::TraceId),
        Just(Header::SpanId),
        Just(Header::Level),
        Just(Header::Synthetic),
        Just(Header::Traceparent),
        Just(Header::Tracestate),
    ];
    proptest::collection::vec((header, any_value()), 0..9).prop_map(Bytes)
}

proptest! {
    /// What goes out is always well formed, and is read back as what it was.
    #[test]
    fn any_headers_lead_to_good_ones(headers in any_headers(), w3c in any::<bool>()) {
        let recorder = Recorder::builder().w3c_correlation(w3c).build();
        let incoming = Incoming::extract(&headers, &recorder.tracer());
        let entry = recorder.tracer().entry(&http::ENTRY, &incoming);
        let context = entry.context();
        let mut out = Headers::default();
        entry.inject(&mut out);
        for (_, value) in &out.0 {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value:?}");
        }
        let state = out.get(Header::Tracestate).unwrap_or_default();
        prop_assert!(state.split(',').count() <= 32, "{state}");
        prop_assert!(state.len() < 9_000);
        let again = Incoming::decide(&out, true);
        prop_assert_eq!(again.is_suppressed(), context.is_suppressed());
        if context.is_active() {
            prop_assert_eq!((again.trace, again.parent), (context.trace, context.span));
        }
        let parent = out.get(Header::Traceparent).unwrap();
        prop_assert_eq!(&parent[3..35], format!("{:016x}{:016x}", context.w3c.high, context.w3c.low));
    }
}

#[test]
fn endless_headers_take_no_endless_time() {
    for unit in [
        "a=b,",
        "0",
        "1,",
        "correlationId=a;",
        "=",
        ",",
        "in=1;1,",
        "é",
    ] {
        let value = unit.repeat(1_000_000 / unit.len()).into_bytes();
        let all = [
            Header::TraceId,
            Header::SpanId,
            Header::Level,
            Header::Tracestate,
        ];
        let mut headers = Bytes(all.map(|header| (header, value.clone())).into());
        headers.0.push((Header::Traceparent, TRACEPARENT.into()));
        let start = std::time::Instant::now();
        let _ = Incoming::decide(&headers, true);
        assert!(
            // In the square of the length it would be many minutes.
            start.elapsed() < std::time::Duration::from_secs(20),
            "{unit}"
        );
    }
}

#[test]
fn levels_that_differ_suppress_where_each_of_them_does() {
    for (levels, is_suppressed) in [
        (&["0", "00"][..], true),
        (&["00", "0", "0, 1"], true),
        (&["0", "1"], false),
        (&["1", "0"], false),
        (&["0", "rubbish"], false),
    ] {
        let pairs: Vec<_> = levels.iter().map(|level| (Header::Level, *level)).collect();
        let incoming = Incoming::decide(&Headers::of(&pairs), true);
        assert_eq!(incoming.is_suppressed(), is_suppressed, "{levels:?}");
    }
}
