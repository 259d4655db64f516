//! Every case of the W3C's validation suite for Trace Context, level 2
//! (github.com/w3c/trace-context, `test/test.py`), and more of their kinds.
#![expect(
    clippy::disallowed_names,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests; the names are those of the suite"
)]

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use instana::Span;
use instana::span::http::{ENTRY, EXIT};
use instana::testing::Recorder;

const TRACE: &str = "12345678901234567890123456789012";
const PARENT: &str = "1234567890123456";

/// A `traceparent` of the suite with these flags.
fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

/// What a service sends on.
#[derive(Debug, PartialEq, Eq)]
struct Sent {
    trace: String,
    parent: String,
    flags: u8,
    /// Without the member of ours.
    foreign: Vec<String>,
}

/// What a service that gets these headers sends on.
fn sent(headers: &[(&str, String)]) -> Sent {
    let mut received = HeaderMap::new();
    for (name, value) in headers {
        received.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    let recorder = Recorder::new();
    let incoming = instana_http::extract(&received, &recorder.tracer());
    let mut entry = recorder.tracer().entry(&ENTRY, &incoming);
    let mut out = HeaderMap::new();
    entry.enter(|| instana_http::inject(&Span::exit(&EXIT), &mut out));
    read(&out)
}

fn read(out: &HeaderMap) -> Sent {
    let text = |name: &str| {
        let all: Vec<_> = out.get_all(name).iter().collect();
        assert!(all.len() < 2, "{name}: {all:?}");
        all.first().map(|value| value.to_str().unwrap().to_owned())
    };
    let parent = text("traceparent").unwrap();
    let [version, trace, span, flags] = parent.split('-').collect::<Vec<_>>()[..] else {
        panic!("{parent}");
    };
    assert_eq!(
        (version, trace.len(), span.len(), flags.len()),
        ("00", 32, 16, 2)
    );
    assert!(
        parent
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
    );
    assert!(
        trace != "0".repeat(32) && span != "0".repeat(16),
        "{parent}"
    );
    let state = text("tracestate").unwrap_or_default();
    let members = state.split(',').filter(|member| !member.is_empty());
    Sent {
        trace: trace.to_owned(),
        parent: span.to_owned(),
        flags: u8::from_str_radix(flags, 16).unwrap(),
        foreign: members
            .filter(|member| !member.starts_with("in="))
            .map(str::to_owned)
            .collect(),
    }
}

/// One request of a case: its headers, whether its trace goes on, and the foreign
/// members of `tracestate` that do.
type Request = (&'static str, Vec<(&'static str, String)>, bool, Vec<String>);

/// A request with this `traceparent` alone.
fn parent(case: &'static str, value: String, goes_on: bool) -> Request {
    (case, vec![("traceparent", value)], goes_on, Vec::new())
}

/// A request with a good `traceparent` and these `tracestate` headers.
fn state(case: &'static str, values: &[&str], foreign: &[&str]) -> Request {
    let states = values
        .iter()
        .map(|value| ("tracestate", (*value).to_owned()));
    let parent = ("traceparent", traceparent("00"));
    let foreign = foreign.iter().map(|member| (*member).to_owned());
    (
        case,
        std::iter::once(parent).chain(states).collect(),
        true,
        foreign.collect(),
    )
}

fn traceparents() -> Vec<Request> {
    let good = || traceparent("01");
    let other = |id: &str, parent: &str| format!("00-{id}-{parent}-01");
    let mut requests = vec![
        ("both_missing", vec![], false, vec![]),
        parent("tracestate_missing", good(), true),
        (
            "traceparent_duplicated",
            vec![
                (
                    "traceparent",
                    other("12345678901234567890123456789011", PARENT),
                ),
                ("traceparent", good()),
            ],
            false,
            vec![],
        ),
        // Nothing else counts with a name of its own.
        (
            "traceparent_name",
            vec![("trace-parent", good())],
            false,
            vec![],
        ),
        (
            "traceparent_name",
            vec![("trace.parent", good())],
            false,
            vec![],
        ),
        parent("version_00", format!("{}.", good()), false),
        parent(
            "version_00",
            format!("{}-what-the-future-will-be-like", good()),
            false,
        ),
        parent("version_cc", format!("cc{}", &good()[2..]), true),
        parent(
            "version_cc",
            format!("cc{}-what-the-future-will-be-like", &good()[2..]),
            true,
        ),
        parent(
            "version_cc",
            format!("cc{}.what-the-future-will-be-like", &good()[2..]),
            false,
        ),
        parent("version_ff", format!("ff{}", &good()[2..]), false),
        parent("trace_id_zero", other(&"0".repeat(32), PARENT), false),
        parent("parent_id_zero", other(TRACE, &"0".repeat(16)), false),
    ];
    for name in ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"] {
        requests.push(("traceparent_casing", vec![(name, good())], true, vec![]));
    }
    for (case, version) in [
        ("version_characters", ".0"),
        ("version_characters", "0."),
        ("version_too_long", "000"),
        ("version_too_long", "0000"),
        ("version_too_short", "0"),
    ] {
        requests.push(parent(case, format!("{version}{}", &good()[2..]), false));
    }
    for (case, id) in [
        ("trace_id_characters", ".2345678901234567890123456789012"),
        ("trace_id_characters", "1234567890123456789012345678901."),
        ("trace_id_too_long", "123456789012345678901234567890123"),
        ("trace_id_too_short", "1234567890123456789012345678901"),
    ] {
        requests.push(parent(case, other(id, PARENT), false));
    }
    for (case, id) in [
        ("parent_id_characters", ".234567890123456"),
        ("parent_id_characters", "123456789012345."),
        ("parent_id_too_long", "12345678901234567"),
        ("parent_id_too_short", "123456789012345"),
    ] {
        requests.push(parent(case, other(TRACE, id), false));
    }
    for (case, flags) in [
        ("flags_characters", ".0"),
        ("flags_characters", "0."),
        ("flags_too_long", "001"),
        ("flags_too_short", "1"),
    ] {
        requests.push(parent(case, traceparent(flags), false));
    }
    for (before, after) in [(" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t")] {
        let value = format!("{before}{}{after}", good());
        requests.push(parent("traceparent_blanks", value, true));
    }
    requests
}

fn tracestates() -> Vec<Request> {
    let long = |len: usize| format!("{}=1", "z".repeat(len));
    let allowed: String = ('a'..='z').chain('0'..='9').chain("_-*/".chars()).collect();
    let value: String = (' '..='~').filter(|char| !",=".contains(*char)).collect();
    let all = [
        format!("{allowed}={value}"),
        format!("{allowed}@a-z0-9_-*/={value}"),
    ];
    let foo = ["foo=1"];
    let three = ["foo=1", "bar=2", "baz=3"];
    let mut requests = vec![
        (
            "state_without_parent",
            vec![("tracestate", "foo=1,bar=2".into())],
            false,
            vec![],
        ),
        state("state_and_parent", &["foo=1,bar=2"], &["foo=1", "bar=2"]),
        state("state_empty", &[""], &[]),
        state("state_empty", &["foo=1", ""], &foo),
        state("state_empty", &["", "foo=1"], &foo),
        state(
            "state_several",
            &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
            &["foo=1", "bar=2", "rojo=1", "congo=2", "baz=3"],
        ),
        state(
            "state_duplicated_keys",
            &["foo=1,foo=1"],
            &["foo=1", "foo=1"],
        ),
        state(
            "state_duplicated_keys",
            &["foo=1,foo=2"],
            &["foo=1", "foo=2"],
        ),
        state(
            "state_duplicated_keys",
            &["foo=1", "foo=1"],
            &["foo=1", "foo=1"],
        ),
        state(
            "state_duplicated_keys",
            &["foo=1", "foo=2"],
            &["foo=1", "foo=2"],
        ),
        state("state_characters", &[&all[0]], &[&all[0]]),
        state("state_characters", &[&all[1]], &[&all[1]]),
        state("state_blanks", &["foo=1 \t , \t bar=2, \t baz=3"], &three),
        state(
            "state_blanks",
            &["foo=1\t \t,\t \tbar=2,\t \tbaz=3"],
            &three,
        ),
        state(
            "state_key_length",
            &["foo=1", &long(256)],
            &["foo=1", &long(256)],
        ),
        state("state_key_length", &["foo=1", &long(257)], &[]),
    ];
    for (name, value) in [("trace-state", "foo=1"), ("trace.state", "foo=1")] {
        let headers = vec![("traceparent", traceparent("00")), (name, value.to_owned())];
        requests.push(("state_name", headers, true, vec![]));
    }
    for name in ["TraceState", "TrAcEsTaTe", "TRACESTATE"] {
        let headers = vec![
            ("traceparent", traceparent("00")),
            (name, "foo=1".to_owned()),
        ];
        requests.push(("state_casing", headers, true, vec!["foo=1".to_owned()]));
    }
    for blank in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
        requests.push(state("state_blanks", &[blank], &foo));
    }
    for key in ["foo =1", "FOO=1", "foo.bar=1"] {
        requests.push(state("state_key_characters", &[key], &[]));
    }
    // Level 2 has no tenants and vendors: `@` is a character as others are.
    for key in ["foo@=1", "foo@@bar=1", "foo@bar@baz=1"] {
        requests.push(state(
            "state_vendor",
            &[&format!("{key},bar=2")],
            &[key, "bar=2"],
        ));
    }
    requests.push(state("state_vendor", &["@foo=1,bar=2"], &[]));
    for (tenant, vendor) in [(241, 14), (242, 1), (1, 15)] {
        let member = format!("{}@{}=1", "t".repeat(tenant), "v".repeat(vendor));
        requests.push(state(
            "state_key_length",
            &["foo=1", &member],
            &["foo=1", &member],
        ));
    }
    for value in ["foo=bar=baz", "foo=,bar=3"] {
        requests.push(state("state_value_characters", &[value], &[]));
    }
    let members =
        |count: u32| -> Vec<String> { (1..=count).map(|n| format!("bar{n:02}={n:02}")).collect() };
    for (count, is_valid) in [(32, true), (33, false)] {
        let members = members(count);
        let lines: Vec<String> = members.chunks(10).map(|line| line.join(",")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let foreign: Vec<&str> = members.iter().map(String::as_str).collect();
        let foreign = if is_valid { foreign.as_slice() } else { &[] };
        requests.push(state("state_count", &lines, foreign));
    }
    requests
}

#[test]
fn every_case_of_the_suite() {
    let requests = [traceparents(), tracestates()].concat();
    let mut cases = BTreeSet::new();
    for (case, headers, goes_on, foreign) in &requests {
        let sent = sent(headers);
        assert_eq!(sent.trace == TRACE, *goes_on, "{case}: {headers:?}");
        assert_eq!(sent.foreign, *foreign, "{case}: {headers:?}");
        cases.insert(*case);
    }
    // The other four are below.
    assert_eq!(cases.len(), 41 - 4, "{cases:?}");
}

#[test]
fn several_calls_are_of_one_trace_and_have_parents_of_their_own() {
    // Of a good one, without one, and of a bad one.
    let bad = format!("00-{}-{PARENT}-01", "0".repeat(32));
    for parents in [vec![traceparent("01")], vec![], vec![bad]] {
        let recorder = Recorder::new();
        let mut received = HeaderMap::new();
        for parent in &parents {
            received.append("traceparent", parent.parse().unwrap());
        }
        let incoming = instana_http::extract(&received, &recorder.tracer());
        let mut entry = recorder.tracer().entry(&ENTRY, &incoming);
        let calls = entry.enter(|| {
            [(); 3].map(|()| {
                let mut out = HeaderMap::new();
                instana_http::inject(&Span::exit(&EXIT), &mut out);
                read(&out)
            })
        });
        let traces: BTreeSet<_> = calls.iter().map(|call| call.trace.clone()).collect();
        let spans: BTreeSet<_> = calls.iter().map(|call| call.parent.clone()).collect();
        assert_eq!((traces.len(), spans.len()), (1, 3), "{calls:?}");
        let goes_on = parents.first() == Some(&traceparent("01"));
        assert_eq!(traces.contains(TRACE), goes_on, "{calls:?}");
        assert!(!spans.contains(PARENT) && !traces.contains(&"0".repeat(32)));
    }
}

#[test]
fn the_random_flag_goes_on() {
    let call = sent(&[("traceparent", traceparent("02"))]);
    assert_eq!((call.trace.as_str(), call.flags), (TRACE, 2));
    assert_ne!(call.parent, PARENT);
    let call = sent(&[("traceparent", traceparent("01"))]);
    assert_eq!((call.flags, call.parent == PARENT), (1, false));
}

#[test]
fn a_traced_call_has_room_for_our_own_member() {
    let members: Vec<String> = (1..=32).map(|n| format!("k{n}={n}")).collect();
    let call = sent(&[
        ("traceparent", traceparent("01")),
        ("tracestate", members.join(",")),
    ]);
    assert_eq!(call.foreign, members[..31]);
}

/// Lists that are dropped as a whole, and some that are not.
#[test]
fn members_of_all_kinds() {
    let text = |len: usize| "v".repeat(len);
    for (list, is_valid) in [
        ("a=1,,b=2".to_owned(), true),
        ("a=1, \t ,b=2,".to_owned(), true),
        (",".to_owned(), true),
        ("0a=1".to_owned(), true),
        ("1=1".to_owned(), true),
        ("a=b c".to_owned(), true),
        ("a= b".to_owned(), true),
        (format!("a={}", text(256)), true),
        (format!("a={}", text(257)), false),
        ("a=1,=2".to_owned(), false),
        ("a=1,b".to_owned(), false),
        ("a=1;b=2".to_owned(), false),
        ("a=1,b= ".to_owned(), false),
        ("a=1,_b=2".to_owned(), false),
        ("a=1,-b=2".to_owned(), false),
        ("a=1,b\t=2".to_owned(), false),
        ("a=1,b=\tc".to_owned(), false),
        ("a=1,b=c\td".to_owned(), false),
        ("a=1,b=ü".to_owned(), false),
        ("a=1,ü=b".to_owned(), false),
        ("a=1,b:c=2".to_owned(), false),
        ("a=1,In=2".to_owned(), false),
        (
            "a=1,in =fa2375d711a4ca0f;02468acefdb97531".to_owned(),
            false,
        ),
    ] {
        let call = sent(&[
            ("traceparent", traceparent("01")),
            ("tracestate", list.clone()),
        ]);
        assert_eq!(call.trace, TRACE, "{list}: the trace goes on");
        let members = list
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']));
        let members: Vec<_> = members.filter(|member| !member.is_empty()).collect();
        let expected = if is_valid { members } else { Vec::new() };
        assert_eq!(call.foreign, expected, "{list}");
    }
}

/// The outcome of headers that came more than once: "new", "suppressed", or the trace
/// and its parent.
fn outcome(headers: &[(&str, &str)]) -> String {
    let mut received = HeaderMap::new();
    for (name, value) in headers {
        received.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    let recorder = Recorder::new();
    let incoming = instana_http::extract(&received, &recorder.tracer());
    let entry = recorder.tracer().entry(&ENTRY, &incoming);
    if entry.context().is_suppressed() {
        return "suppressed".to_owned();
    }
    entry.end();
    let entry = recorder.labelled("g.http");
    match entry.parent().as_str() {
        "" => "new".to_owned(),
        parent => format!("{} {parent}", entry.trace()),
    }
}

#[test]
fn of_headers_that_differ_none_counts() {
    const T: (&str, &str) = ("x-instana-t", "fa2375d711a4ca0f");
    const S: (&str, &str) = ("x-instana-s", "37cb2d6e9b1c078a");
    const ON: (&str, &str) = ("x-instana-l", "1");
    const OFF: (&str, &str) = ("x-instana-l", "0");
    let pair = "fa2375d711a4ca0f 37cb2d6e9b1c078a";
    let good = traceparent("01");
    let unsampled = traceparent("00");
    let good = ("traceparent", good.as_str());
    let unsampled = ("traceparent", unsampled.as_str());
    let w3c = format!("{} {PARENT}", &TRACE[16..]);
    let table: [(&[(&str, &str)], &str); 20] = [
        (&[T, ("x-instana-t", "1"), S], "new"),
        (&[("x-instana-t", "1"), T, S], "new"),
        (&[T, S, ("x-instana-s", "1")], "new"),
        (&[T, S, ("x-instana-s", "")], "new"),
        (&[T, S, ("x-instana-s", "nothing")], "new"),
        (&[T, T, T, S, S], pair),
        (
            &[T, ("X-INSTANA-T", "0000000000000000FA2375D711A4CA0F "), S],
            pair,
        ),
        (&[T, ("x-instana-t", "1"), S, good], &w3c),
        (&[T, ("x-instana-t", "1"), T, S], "new"),
        (&[OFF, ON], "new"),
        (&[ON, OFF], "new"),
        (&[OFF, OFF], "suppressed"),
        (&[T, S, OFF, ON], pair),
        (&[T, S, OFF, OFF], "suppressed"),
        (&[good, unsampled], "new"),
        (&[unsampled, good], "new"),
        (&[good, good], &w3c),
        (&[unsampled, unsampled], "suppressed"),
        (&[T, S, good, unsampled], pair),
        (&[good, ("traceparent", "00-x")], "new"),
    ];
    for (headers, expected) in table {
        assert_eq!(outcome(headers), expected, "{headers:?}");
    }
}
