//! Which headers are written, and what becomes of the user's.

use instana::propagation::Incoming;
use instana::span::Kind;
use instana::testing::Recorder;

use super::*;
use crate::family::{CONSUME, SEND};

type Listed = Vec<(String, Option<Vec<u8>>)>;

fn list(headers: Option<&OwnedHeaders>) -> Listed {
    headers
        .into_iter()
        .flat_map(OwnedHeaders::iter)
        .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
        .collect()
}

fn headers(list: &[(&str, Option<&[u8]>)]) -> OwnedHeaders {
    copy(
        list.iter()
            .map(|(key, value)| Header { key, value: *value }),
    )
}

fn format(format: &str) -> Recorder {
    Recorder::builder()
        .environment(&[("INSTANA_KAFKA_HEADER_FORMAT", format)])
        .build()
}

/// The headers that an exit below `incoming` writes beside `given`, the ids of
/// the exit, and what is given back.
fn sent(
    recorder: &Recorder,
    incoming: &Incoming,
    given: Option<OwnedHeaders>,
) -> (Listed, (String, String), Listed) {
    let mut headers = given;
    let before = recorder.enter(|| {
        Span::entry(&CONSUME, incoming).enter(|| inject(&Span::exit(&SEND), &mut headers))
    });
    let written = list(headers.as_ref());
    before.restore(&mut headers);
    let spans = recorder.spans();
    let ids = spans.iter().find(|span| span.kind() == Kind::Exit);
    let ids = ids
        .map(|span| (span.trace(), span.id()))
        .unwrap_or_default();
    (written, ids, list(headers.as_ref()))
}

fn text(name: &str, value: &str) -> (String, Option<Vec<u8>>) {
    (name.to_owned(), Some(value.as_bytes().to_vec()))
}

fn in_text((trace, span): &(String, String)) -> Listed {
    vec![
        text("X_INSTANA_T", &format!("{trace:0>32}")),
        text("X_INSTANA_S", span),
        text("X_INSTANA_L_S", "1"),
    ]
}

fn in_bytes((trace, span): &(String, String)) -> Listed {
    let number = |id: &String| u64::from_str_radix(id, 16).unwrap().to_be_bytes();
    let mut ids = vec![0; 8];
    ids.extend(number(trace));
    ids.extend(number(span));
    vec![
        ("X_INSTANA_C".to_owned(), Some(ids)),
        ("X_INSTANA_L".to_owned(), Some(vec![1])),
    ]
}

#[test]
fn each_format_has_its_headers() {
    let long = Incoming::from_ids("0373e5f7aca1cdeffa2375d711a4ca0f", "1");
    for incoming in [Incoming::none(), long] {
        let recorder = Recorder::new();
        let (written, ids, _) = sent(&recorder, &incoming, None);
        assert_eq!(written, in_text(&ids));
        let recorder = format("binary");
        let (written, ids, _) = sent(&recorder, &incoming, None);
        assert_eq!(written, in_bytes(&ids));
        let recorder = format("both");
        let (written, ids, restored) = sent(&recorder, &incoming, None);
        assert_eq!(written, [in_text(&ids), in_bytes(&ids)].concat());
        assert_eq!(restored, []);
    }
}

#[test]
fn a_suppression_goes_on_alone() {
    let byte = || ("X_INSTANA_L".to_owned(), Some(vec![0]));
    for (name, expected) in [
        ("string", vec![text("X_INSTANA_L_S", "0")]),
        ("binary", vec![byte()]),
        ("both", vec![text("X_INSTANA_L_S", "0"), byte()]),
    ] {
        let given = headers(&[("x_instana_t", Some(b"1")), ("color", Some(b"red"))]);
        let (written, _, restored) = sent(&format(name), &Incoming::suppressed(), Some(given));
        assert_eq!(written, [vec![text("color", "red")], expected].concat());
        assert_eq!(restored, [text("x_instana_t", "1"), text("color", "red")]);
    }
}

#[test]
fn the_users_headers_stay_and_another_context_goes() {
    let recorder = Recorder::new();
    let own: [(&str, Option<&[u8]>); 4] = [
        ("b", Some(b"\xff\0")),
        ("a", None),
        ("b", Some(b"")),
        ("X_INSTANA_TX", Some(b"2")),
    ];
    let (written, ids, restored) = sent(&recorder, &Incoming::none(), Some(headers(&own)));
    let own = list(Some(&headers(&own)));
    assert_eq!(written, [own.clone(), in_text(&ids)].concat());
    assert_eq!(restored, own);

    let recorder = Recorder::new();
    let old: [(&str, Option<&[u8]>); 7] = [
        ("x_instana_t", Some(b"1")),
        ("b", Some(b"1")),
        ("X_INSTANA_S", None),
        ("X_Instana_L_s", Some(b"0")),
        ("a", None),
        ("X_INSTANA_C", Some(&[0xff; 3])),
        ("x_instana_l", Some(&[0])),
    ];
    let (written, ids, restored) = sent(&recorder, &Incoming::none(), Some(headers(&old)));
    let kept = vec![text("b", "1"), ("a".to_owned(), None)];
    assert_eq!(written, [kept, in_text(&ids)].concat());
    assert_eq!(restored, list(Some(&headers(&old))));
}

#[test]
fn without_a_trace_the_headers_are_left_alone() {
    let old: [(&str, Option<&[u8]>); 2] = [("X_INSTANA_T", Some(b"1")), ("a", None)];
    let mut headers_of_none = Some(headers(&old));
    let before = inject(&Span::none(), &mut headers_of_none);
    assert!(matches!(before, Before::Same));
    assert_eq!(list(headers_of_none.as_ref()), list(Some(&headers(&old))));
}

#[test]
fn the_switch_for_correlation_leaves_them_alone_too() {
    let by_environment = || {
        Recorder::builder()
            .environment(&[("INSTANA_KAFKA_TRACE_CORRELATION", "false")])
            .build()
    };
    let by_code = || Recorder::builder().kafka_correlation(false).build();
    for incoming in [Incoming::none(), Incoming::suppressed()] {
        for recorder in [by_environment(), by_code()] {
            let old: [(&str, Option<&[u8]>); 1] = [("X_INSTANA_T", Some(b"1"))];
            let (written, _, _) = sent(&recorder, &incoming, Some(headers(&old)));
            assert_eq!(written, list(Some(&headers(&old))));
            assert_eq!(sent(&recorder, &incoming, None).0, []);
        }
    }
}

#[test]
fn code_chooses_the_format_too() {
    let recorder = Recorder::builder()
        .kafka_header_format(KafkaHeaderFormat::Binary)
        .build();
    let (written, ids, _) = sent(&recorder, &Incoming::none(), None);
    assert_eq!(written, in_bytes(&ids));
}

#[test]
fn headers_that_rdkafka_cannot_read_are_no_context() {
    struct Poison;
    impl Headers for Poison {
        fn count(&self) -> usize {
            3
        }

        fn try_get(&self, _: usize) -> Option<Header<'_, &[u8]>> {
            panic!("as rdkafka does for a name that is not UTF-8")
        }
    }
    let context = read(&Poison);
    assert!(context.is_unreadable() && !context.is_continued());
}
