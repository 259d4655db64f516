//! Entries of received messages.

use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use aws_smithy_types::Blob;
use instana::span::Kind;
use instana::testing::Recorder;
use instana_aws_sdk::{MessageExt, batch_entry_span, batch_entry_span_of};
use serde_json::json;

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
const T: &str = "fa2375d711a4ca0f";
const S: &str = "37cb2d6e9b1c078a";

/// A message with attributes of type `String`.
fn message(attributes: &[(&str, &str)]) -> Message {
    let mut message = Message::builder().body("tea");
    for (name, value) in attributes {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(*value);
        message = message.message_attributes(*name, value.build().unwrap());
    }
    message.build()
}

fn notification(attributes: &serde_json::Value) -> Message {
    let body = json!({
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:orders",
        "Message": "tea with a \"quote\"",
        "MessageAttributes": attributes,
    });
    Message::builder().body(body.to_string()).build()
}

/// Polls a future once, and drops it.
fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Trace and parent of the entry; empty where it begins a trace.
fn continued(message: &Message) -> (String, String) {
    let recorder = Recorder::new();
    recorder.enter(|| message.entry_span().end());
    let entry = recorder.span("sqs", Kind::Entry);
    assert_eq!(entry.errors(), 0);
    if entry.has("p") {
        (entry.trace(), entry.parent())
    } else {
        (String::new(), String::new())
    }
}

fn is_continued(message: &Message) -> bool {
    let (trace, parent) = continued(message);
    assert!(
        trace.is_empty() || (trace == T && parent == S),
        "{trace} {parent}"
    );
    !trace.is_empty()
}

#[test]
fn an_entry_continues_the_senders_trace() {
    let recorder = Recorder::new();
    let mut message = message(&[("X_INSTANA_T", T), ("X_INSTANA_S", S), ("color", "red")]);
    let group = (
        MessageSystemAttributeName::MessageGroupId,
        "green".to_owned(),
    );
    message.attributes = Some([group].into());
    recorder.enter(|| {
        let work = async { instana::exit_span("store").end() };
        let handled = message.in_entry_span_of(URL, work);
        assert!(poll(handled).is_ready());
    });
    recorder.assert_tree("entry sqs\n  exit store");
    let entry = recorder.span("sqs", Kind::Entry);
    assert_eq!(
        (entry.trace(), entry.parent()),
        (T.to_owned(), S.to_owned())
    );
    let json: serde_json::Value = serde_json::from_str(&entry.json()).unwrap();
    assert_eq!(
        json["data"]["sqs"],
        json!({"sort": "entry", "queue": URL, "group": "green"})
    );
}

#[test]
fn the_spellings_of_siblings_are_understood() {
    let padded = format!("0000000000000000{T}");
    for (names, trace) in [
        (["X_INSTANA_T", "X_INSTANA_S", "X_INSTANA_L"], T),
        (
            ["X_INSTANA_T", "X_INSTANA_S", "X_INSTANA_L"],
            padded.as_str(),
        ),
        (["x_instana_t", "x_instana_s", "x_instana_l"], T),
        (["X_Instana_T", "x_INSTANA_s", "X_INSTANA_l"], T),
    ] {
        let pair = [(names[0], trace), (names[1], S)];
        assert!(is_continued(&message(&pair)), "{names:?}");
        let with_level = [pair[0], pair[1], (names[2], "1")];
        assert!(is_continued(&message(&with_level)), "{names:?}");
        let published = json!({
            names[0]: {"Type": "String", "Value": trace},
            names[1]: {"Type": "String", "Value": S},
        });
        assert!(is_continued(&notification(&published)), "{names:?}");
    }
}

#[test]
fn attributes_of_any_type_are_read_or_left() {
    let mut binary = message(&[]);
    let bytes = |value: &[u8]| {
        let bytes = MessageAttributeValue::builder().data_type("Binary");
        bytes.binary_value(Blob::new(value)).build().unwrap()
    };
    let ids = |trace: &[u8], span: &[u8]| {
        Some(
            [
                ("X_INSTANA_T".to_owned(), bytes(trace)),
                ("X_INSTANA_S".to_owned(), bytes(span)),
            ]
            .into(),
        )
    };
    binary.message_attributes = ids(T.as_bytes(), S.as_bytes());
    assert!(is_continued(&binary));
    binary.message_attributes = ids(&[0xff, 0, 1], &[0xfe; 40]);
    assert!(!is_continued(&binary));
}

#[test]
fn what_cannot_be_understood_begins_a_trace_and_is_counted() {
    let malformed = instana::status().spans.contexts_malformed;
    let cases = [
        message(&[("X_INSTANA_T", T)]),
        message(&[("X_INSTANA_S", S)]),
        message(&[("X_INSTANA_T", ""), ("X_INSTANA_S", S)]),
        message(&[("X_INSTANA_T", &"1".repeat(33)), ("X_INSTANA_S", S)]),
        message(&[("X_INSTANA_T", "zz"), ("X_INSTANA_S", S)]),
        message(&[("X_INSTANA_T", "0"), ("X_INSTANA_S", S)]),
        notification(&json!({"X_INSTANA_T": {"Type": "String", "Value": 7}, "X_INSTANA_S": null})),
    ];
    for message in &cases {
        assert!(!is_continued(message), "{message:?}");
    }
    let counted = instana::status().spans.contexts_malformed - malformed;
    assert!(counted >= cases.len() as u64, "{counted}");
}

#[test]
fn bodies_that_are_no_notification_are_left_alone() {
    let attributes = json!({
        "X_INSTANA_T": {"Type": "String", "Value": T},
        "X_INSTANA_S": {"Type": "String", "Value": S},
    });
    assert!(is_continued(&notification(&attributes)));
    let deep = format!(
        r#"{{"Type":"Notification","Message":{}"tea","MessageAttributes":{{}}}}"#,
        "[".repeat(100_000)
    );
    for body in [
        String::new(),
        "{".to_owned(),
        r#"["Notification","MessageAttributes"]"#.to_owned(),
        r#"{"Type":"Notification","MessageAttributes":"#.to_owned(),
        r#"{"Type":"Notification","MessageAttributes":null}"#.to_owned(),
        r#"{"Type":"Notification","MessageAttributes":[1]}"#.to_owned(),
        r#"{"Type":7,"MessageAttributes":{},"x":"Notification"}"#
            .replace("\"x\":\"Notification\"", "\"Notification\":1"),
        json!({"Type": "Order", "Kind": "Notification", "MessageAttributes": attributes})
            .to_string(),
        deep,
    ] {
        let message = Message::builder().body(&body).build();
        assert!(!is_continued(&message), "{body:.80}");
    }
    assert!(!is_continued(&Message::builder().build()));
}

#[test]
fn direct_attributes_count_more_than_those_of_a_notification() {
    let mut message = notification(&json!({
        "X_INSTANA_T": {"Type": "String", "Value": "1111111111111111"},
        "X_INSTANA_S": {"Type": "String", "Value": "2222222222222222"},
    }));
    message.message_attributes =
        self::message(&[("X_INSTANA_T", T), ("X_INSTANA_S", S)]).message_attributes;
    assert!(is_continued(&message));
}

#[test]
fn suppressed_messages_stay_suppressed() {
    let published = json!({"X_INSTANA_L": {"Type": "String", "Value": "0"}});
    for message in [
        message(&[("X_INSTANA_L", "0")]),
        message(&[("x_instana_l", "0"), ("X_INSTANA_T", T), ("X_INSTANA_S", S)]),
        notification(&published),
    ] {
        let recorder = Recorder::new();
        recorder.enter(|| {
            message.entry_span().enter(|| {
                assert!(instana::Context::current().is_suppressed());
                instana::exit_span("store").end();
            });
        });
        recorder.assert_empty();
    }
}

#[test]
fn several_messages_are_one_entry_of_the_first_context() {
    let recorder = Recorder::new();
    let messages = [
        message(&[]),
        message(&[("X_INSTANA_T", "garbage"), ("X_INSTANA_S", S)]),
        message(&[("X_INSTANA_T", T), ("X_INSTANA_S", S)]),
        message(&[("X_INSTANA_T", "1"), ("X_INSTANA_S", "2")]),
    ];
    recorder.enter(|| messages.entry_span_of(URL).end());
    let entry = recorder.span("sqs", Kind::Entry);
    assert_eq!(
        (entry.trace(), entry.parent()),
        (T.to_owned(), S.to_owned())
    );
    assert_eq!(entry.integer("data.sqs.size"), Some(4));
    assert_eq!(entry.integer("b.s"), Some(4));

    recorder.clear();
    recorder.enter(|| messages[..1].entry_span().end());
    let entry = recorder.span("sqs", Kind::Entry);
    assert!(!entry.has("p") && !entry.has("b"));
    assert_eq!(entry.integer("data.sqs.size"), Some(1));
}

#[test]
fn several_messages_are_suppressed_where_all_of_them_are() {
    let suppressed = || message(&[("X_INSTANA_L", "0")]);
    let traced = message(&[("X_INSTANA_T", T), ("X_INSTANA_S", S)]);
    let recorder = Recorder::new();
    recorder.enter(|| [suppressed(), traced].entry_span().end());
    assert_eq!(recorder.span("sqs", Kind::Entry).trace(), T);

    recorder.clear();
    recorder.enter(|| [suppressed(), message(&[])].entry_span().end());
    assert!(!recorder.span("sqs", Kind::Entry).has("p"));

    recorder.clear();
    recorder.enter(|| {
        let messages = [suppressed(), suppressed()];
        messages.entry_span().enter(|| {
            assert!(instana::Context::current().is_suppressed());
            instana::exit_span("store").end();
        });
    });
    recorder.assert_empty();
}

#[test]
fn messages_of_an_iterator_are_one_entry_too() {
    let recorder = Recorder::new();
    let messages = [
        message(&[("X_INSTANA_T", "1"), ("X_INSTANA_S", "2")]),
        message(&[]),
        message(&[("X_INSTANA_T", T), ("X_INSTANA_S", S)]),
    ];
    let some = messages.iter().skip(1);
    recorder.enter(|| {
        batch_entry_span(some.clone()).end();
        batch_entry_span_of(URL, some).end();
    });
    recorder.assert_tree("entry sqs\nentry sqs");
    let queues = [None, Some(URL)];
    for (entry, queue) in recorder.spans().iter().zip(queues) {
        assert_eq!((entry.trace().as_str(), entry.parent().as_str()), (T, S));
        assert_eq!(entry.integer("data.sqs.size"), Some(2));
        assert_eq!(entry.text("data.sqs.queue").as_deref(), queue);
    }
}

#[test]
fn what_an_empty_receive_gives_is_no_entry() {
    let recorder = Recorder::new();
    let none: [Message; 0] = [];
    recorder.enter(|| {
        assert!(poll(none.in_entry_span_of(URL, async {})).is_ready());
        none.enter_entry_span(|| ());
        batch_entry_span(&none).end();
    });
    recorder.assert_empty();
}

#[test]
fn what_the_handler_returns_can_be_recorded() {
    let recorder = Recorder::new();
    let fails = || ready(Err(std::io::Error::other("no stock")));
    let record = |entry: &mut instana::Span, result: &Result<(), std::io::Error>| {
        if let Err(error) = result {
            entry.record_error(error);
        }
    };
    let messages = [message(&[]), message(&[])];
    recorder.enter(|| {
        let one = messages[0].in_entry_span_with(fails(), record);
        let both = messages.in_entry_span_of_with(URL, fails(), record);
        assert!(poll(one).is_ready() && poll(both).is_ready());
    });
    recorder.assert_tree("entry sqs !\nentry sqs !");
    for (entry, queue) in recorder.spans().iter().zip([None, Some(URL)]) {
        assert_eq!(entry.text("data.sqs.error").as_deref(), Some("no stock"));
        assert_eq!(entry.text("data.sqs.queue").as_deref(), queue);
    }
}

#[test]
fn a_handler_without_futures_runs_inside_the_entry() {
    let recorder = Recorder::new();
    let messages = [message(&[("X_INSTANA_T", T), ("X_INSTANA_S", S)])];
    recorder.enter(|| {
        messages[0].enter_entry_span(|| instana::exit_span("store").end());
        let handled = messages.enter_entry_span_of(URL, || {
            instana::exit_span("store").end();
            42
        });
        assert_eq!(handled, 42);
    });
    recorder.assert_tree("entry sqs\n  exit store\nentry sqs\n  exit store");
    let spans = recorder.spans();
    let entries = spans.iter().filter(|span| span.kind() == Kind::Entry);
    let queues = entries.map(|entry| entry.text("data.sqs.queue"));
    assert!(queues.eq([None, Some(URL.to_owned())]));
}

#[test]
fn a_handler_that_panics_is_an_error_of_its_entry_alone() {
    let recorder = Recorder::new();
    let handle = |number: u32| async move {
        assert_ne!(number, 1, "poison");
    };
    for number in 0..3 {
        let work = || recorder.enter(|| poll(message(&[]).in_entry_span(handle(number))));
        let result = std::panic::catch_unwind(AssertUnwindSafe(work));
        assert_eq!(result.is_err(), number == 1, "it goes on to the worker");
        assert!(!instana::Context::current().is_active());
    }
    recorder.assert_tree("entry sqs\nentry sqs !\nentry sqs");
    let failed = recorder
        .spans()
        .into_iter()
        .find(|span| span.errors() > 0)
        .unwrap();
    assert_eq!(failed.text("data.sqs.error").as_deref(), Some("panicked"));
}

#[test]
fn a_handler_that_is_given_up_ends_its_entry() {
    let recorder = Recorder::new();
    recorder.enter(|| assert!(poll(message(&[]).in_entry_span(pending::<()>())).is_pending()));
    recorder.assert_tree("entry sqs");
}

#[test]
fn without_a_tracer_a_message_is_handled() {
    let handled = message(&[("X_INSTANA_T", T)]).in_entry_span(async { 42 });
    assert_eq!(poll(handled), Poll::Ready(42));
    assert_eq!(message(&[]).enter_entry_span(|| 42), 42);
    assert!(!message(&[("X_INSTANA_T", T)]).entry_span().is_recording());
    assert!(!batch_entry_span(&[message(&[])]).is_recording());
}

/// docs/ARCHITECTURE.md, "Entries inside of entries".
#[test]
fn inside_of_an_entry_of_another_kind_a_message_has_its_own_trace() {
    use instana::Span;
    use instana::propagation::Incoming;
    use instana::span::http;

    let traced = || message(&[("X_INSTANA_T", T), ("X_INSTANA_S", S)]);
    let open: [fn() -> Span; 2] = [
        || instana::entry_span("job"),
        || Span::entry(&http::ENTRY, &Incoming::none()),
    ];
    for open in open {
        let recorder = Recorder::new();
        recorder.enter(|| {
            open().enter(|| {
                traced().enter_entry_span_of(URL, || instana::exit_span("store").end());
            });
        });
        let entry = recorder.labelled("sqs");
        assert_eq!(
            (entry.trace(), entry.parent()),
            (T.to_owned(), S.to_owned())
        );
        assert_eq!(recorder.children(&entry).len(), 1);
        assert_eq!(recorder.unrecorded(), []);
    }
    // Of one receive and each of its messages, the outer one.
    let recorder = Recorder::new();
    recorder.enter(|| [traced(), traced()].enter_entry_span(|| traced().entry_span().end()));
    assert_eq!(recorder.labelled("sqs").trace(), T);
    let lost = recorder.unrecorded();
    assert_eq!((lost.len(), lost[0].name.as_str()), (1, "sqs"));
    assert!(lost[0].place.as_ref().unwrap().contains("messages.rs:"));
}

#[test]
fn of_attributes_that_differ_none_counts() {
    for (attributes, expected) in [
        (
            vec![("x_instana_t", "1"), ("X_INSTANA_T", T), ("X_INSTANA_S", S)],
            false,
        ),
        (
            vec![("X_INSTANA_T", T), ("X_INSTANA_S", S), ("x_instana_s", "1")],
            false,
        ),
        (
            vec![("X_INSTANA_T", T), ("x_instana_t", T), ("X_INSTANA_S", S)],
            true,
        ),
    ] {
        // Attributes are in another order each time.
        for _ in 0..10 {
            assert_eq!(
                is_continued(&message(&attributes)),
                expected,
                "{attributes:?}"
            );
        }
    }
    let recorder = Recorder::new();
    recorder.enter(|| message(&[("X_INSTANA_L", "00")]).entry_span().end());
    recorder.assert_empty();
}
