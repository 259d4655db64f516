//! Trace context in messages.

use super::*;
use crate::Span;
use crate::record::Kind;
use crate::status;
use crate::testing::Recorder;
use crate::trace::span::http;
use proptest::prelude::*;

const T: &[u8] = b"fa2375d711a4ca0f";
const PADDED: &[u8] = b"0000000000000000fa2375d711a4ca0f";
const LONG: &[u8] = b"0373e5f7aca1cdeffa2375d711a4ca0f";
const S: &[u8] = b"37cb2d6e9b1c078a";
const C: &[u8] =
    b"\0\0\0\0\0\0\0\0\xfa\x23\x75\xd7\x11\xa4\xca\x0f\x37\xcb\x2d\x6e\x9b\x1c\x07\x8a";

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Continued,
    Fresh,
    Malformed,
    Suppressed,
}
use Expected::{Continued, Fresh, Malformed, Suppressed};

type Headers<'a> = &'a [(&'a str, Option<&'a [u8]>)];

fn context<'a>(headers: Headers<'a>) -> MessageContext<'a> {
    let mut context = MessageContext::default();
    for (name, value) in headers {
        context.add(name, *value);
    }
    context
}

#[test]
fn of_several_the_first_trace_goes_on_and_only_all_are_suppressed() {
    let traced = || Incoming::from_ids("fa2375d711a4ca0f", "37cb2d6e9b1c078a");
    let (fresh, suppressed) = (Incoming::none, Incoming::suppressed);
    let other = Incoming::from_ids("1", "2");
    let first = Incoming::first_of([suppressed(), fresh(), traced(), other]);
    assert_eq!(first.trace, 0xfa23_75d7_11a4_ca0f);
    for (messages, is_suppressed) in [
        (vec![suppressed(), fresh()], false),
        (vec![suppressed(), suppressed()], true),
        (vec![], true),
    ] {
        let first = Incoming::first_of(messages);
        assert_eq!((first.is_suppressed(), first.trace), (is_suppressed, 0));
    }
}

fn outcome(context: &MessageContext<'_>) -> Expected {
    let incoming = context.incoming();
    if incoming.is_suppressed() {
        assert!(context.is_suppressed() && !context.is_continued());
        return Suppressed;
    }
    if incoming.trace == 0 {
        let is_malformed = context.is_malformed();
        return if is_malformed { Malformed } else { Fresh };
    }
    assert!(context.is_continued());
    assert_eq!(
        (incoming.trace, incoming.parent),
        (0xfa23_75d7_11a4_ca0f, 0x37cb_2d6e_9b1c_078a)
    );
    Continued
}

#[test]
fn what_siblings_write_is_understood() {
    let upper = ("X_INSTANA_T", "X_INSTANA_S", "X_INSTANA_L_S");
    let lower = ("x_instana_t", "x_instana_s", "x_instana_l_s");
    let table: [(Headers<'_>, Expected); 37] = [
        (&[], Fresh),
        (
            &[("color", Some(b"red")), ("X_INSTANA_X", Some(b"1"))],
            Fresh,
        ),
        // Go.
        (
            &[
                (upper.0, Some(PADDED)),
                (upper.1, Some(S)),
                (upper.2, Some(b"1")),
            ],
            Continued,
        ),
        // Node, with and without a level.
        (&[(upper.0, Some(PADDED)), (upper.1, Some(S))], Continued),
        // Python.
        (
            &[
                (lower.0, Some(T)),
                (lower.1, Some(S)),
                (lower.2, Some(b"1")),
            ],
            Continued,
        ),
        (
            &[
                ("X_InStAnA_t", Some(b" FA2375D711A4CA0F ")),
                (lower.1, Some(S)),
            ],
            Continued,
        ),
        // Of several that differ, none counts.
        (
            &[
                (lower.0, Some(b"1")),
                (lower.1, Some(b"2")),
                (upper.0, Some(T)),
                (upper.1, Some(S)),
            ],
            Malformed,
        ),
        (
            &[
                (upper.0, Some(T)),
                (upper.0, Some(b"1")),
                (upper.0, Some(T)),
                (upper.1, Some(S)),
            ],
            Malformed,
        ),
        (
            &[(upper.0, Some(T)), (upper.1, Some(S)), (lower.1, None)],
            Malformed,
        ),
        (
            &[(lower.1, None), (upper.0, Some(T)), (upper.1, Some(S))],
            Malformed,
        ),
        (
            &[("X_INSTANA_C", Some(C)), ("x_instana_c", Some(&[1; 24]))],
            Malformed,
        ),
        (
            &[
                (upper.0, Some(T)),
                (lower.0, Some(PADDED)),
                (upper.0, Some(b"0FA2375D711A4CA0F")),
                (upper.1, Some(S)),
                (lower.1, Some(b"37CB2D6E9B1C078A ")),
                (upper.2, Some(b"1")),
                (lower.2, Some(b"1")),
            ],
            Continued,
        ),
        (
            &[
                (upper.0, Some(T)),
                (upper.1, Some(S)),
                (upper.2, Some(b"0")),
                (lower.2, Some(b"1")),
            ],
            Continued,
        ),
        (&[(upper.2, Some(b"0")), (lower.2, Some(b"1"))], Malformed),
        (&[(upper.2, Some(b"0")), (lower.2, Some(b"0"))], Suppressed),
        // The older form, and both.
        (
            &[("X_INSTANA_C", Some(C)), ("X_INSTANA_L", Some(&[1]))],
            Continued,
        ),
        (&[("x_instana_c", Some(C))], Continued),
        (
            &[
                ("X_INSTANA_C", Some(C)),
                (upper.0, Some(b"zz")),
                (upper.1, Some(S)),
            ],
            Continued,
        ),
        (
            &[
                ("X_INSTANA_C", Some(&[1; 24])),
                (upper.0, Some(T)),
                (upper.1, Some(S)),
            ],
            Continued,
        ),
        // Suppression, which ids do not change.
        (&[(upper.2, Some(b"0"))], Suppressed),
        (
            &[
                (lower.2, Some(b"0")),
                (upper.0, Some(T)),
                (upper.1, Some(S)),
            ],
            Suppressed,
        ),
        (
            &[("X_INSTANA_L", Some(&[0])), ("X_INSTANA_C", Some(C))],
            Suppressed,
        ),
        (&[("X_INSTANA_L", Some(b"0"))], Suppressed),
        (&[(upper.2, Some(b"00"))], Suppressed),
        (&[("X_INSTANA_L", Some(b"0,x"))], Suppressed),
        (&[(upper.2, Some(b"+0"))], Malformed),
        // Levels alone.
        (&[(upper.2, Some(b"1"))], Fresh),
        (&[("X_INSTANA_L", Some(&[1]))], Fresh),
        (&[(upper.2, Some(b"2"))], Malformed),
        (&[("X_INSTANA_L", Some(b""))], Malformed),
        // What cannot be read.
        (&[(upper.0, Some(T))], Malformed),
        (&[(upper.1, Some(S)), (upper.2, Some(b"1"))], Malformed),
        (&[(upper.0, None), (upper.1, None)], Malformed),
        (
            &[(upper.0, Some(&[0xff; 32])), (upper.1, Some(S))],
            Malformed,
        ),
        (
            &[(upper.0, Some(&[b'1'; 33])), (upper.1, Some(S))],
            Malformed,
        ),
        (&[("X_INSTANA_C", Some(&[1; 23]))], Malformed),
        (&[("X_INSTANA_C", Some(&[0; 24]))], Malformed),
    ];
    for (headers, expected) in table {
        let context = context(headers);
        assert_eq!(outcome(&context), expected, "{headers:?}");
        assert_eq!(context.is_empty(), expected == Fresh && headers.len() != 1);
    }
}

#[test]
fn long_ids_are_recorded_as_such() {
    for (trace, long) in [
        (PADDED, None),
        (LONG, Some("0373e5f7aca1cdeffa2375d711a4ca0f")),
    ] {
        let recorder = Recorder::new();
        let headers = [("X_INSTANA_T", Some(trace)), ("X_INSTANA_S", Some(S))];
        let incoming = context(&headers).incoming();
        recorder.enter(|| Span::entry(&http::ENTRY, &incoming).end());
        let entry = recorder.span("g.http", Kind::Entry);
        assert_eq!(
            (entry.trace().as_bytes(), entry.parent().as_bytes()),
            (T, S)
        );
        assert_eq!(entry.text("lt").as_deref(), long);
    }
}

#[test]
fn what_is_lost_is_counted_where_it_is() {
    let lose = || {
        context(&[("X_INSTANA_T", Some(b"garbage"))]).incoming();
        MessageContext::unreadable().incoming();
        MessageContext::omitted();
    };
    let (recorder, other) = (Recorder::new(), Recorder::new());
    recorder.enter(lose);
    recorder.enter(|| crate::entry_span("job").enter(lose));
    let counts = recorder.counts();
    assert_eq!((counts.contexts_malformed, counts.contexts_omitted), (4, 2));
    assert_eq!(other.counts(), crate::SpanCounts::default());
    recorder.clear();
    assert_eq!(recorder.counts(), crate::SpanCounts::default());

    let before = status().spans;
    context(&[("X_INSTANA_T", Some(b"garbage"))]).incoming();
    let unreadable = MessageContext::unreadable();
    assert!(unreadable.is_unreadable() && !unreadable.is_empty());
    unreadable.incoming();
    MessageContext::omitted();
    let after = status().spans;
    assert!(after.contexts_malformed >= before.contexts_malformed + 2);
    assert!(after.contexts_omitted > before.contexts_omitted);
}

proptest! {
    #[test]
    fn any_headers_can_be_read(
        headers in proptest::collection::vec((0usize..5, proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40))), 0..8),
    ) {
        let mut context = MessageContext::default();
        for (header, value) in &headers {
            let name = MessageHeader::ALL[*header].name();
            prop_assert!(context.add(name, value.as_deref()));
        }
        let incoming = context.incoming();
        prop_assert_eq!(incoming.is_suppressed(), context.is_suppressed());
        prop_assert_eq!(incoming.trace != 0, context.is_continued());
    }
}

#[test]
fn levels_that_differ_suppress_where_each_of_them_does() {
    let lower = "x_instana_l_s";
    for (levels, expected) in [
        (&[b"0" as &[u8], b"00"][..], Suppressed),
        (&[b"\0", b"0"], Suppressed),
        (&[b"0", b"1"], Malformed),
    ] {
        let headers: Vec<_> = levels.iter().map(|level| (lower, Some(*level))).collect();
        assert_eq!(outcome(&context(&headers)), expected, "{levels:?}");
    }
}
