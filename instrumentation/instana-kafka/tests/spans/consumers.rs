//! Entries of consumed records.

use std::panic::{AssertUnwindSafe, catch_unwind};

use instana::span::Kind;
use instana::{IgnoredEndpoint, KafkaHeaderFormat};
use instana_kafka::{BatchExt, FutureProducer, MessageExt};
use rdkafka::Timestamp;
use rdkafka::consumer::StreamConsumer;

use super::*;

const T: &str = "fa2375d711a4ca0f";
const S: &str = "37cb2d6e9b1c078a";

fn message(headers: Option<OwnedHeaders>) -> OwnedMessage {
    let payload = Some(b"payload".to_vec());
    OwnedMessage::new(
        payload,
        None,
        TOPIC.to_owned(),
        Timestamp::NotAvailable,
        0,
        7,
        headers,
    )
}

#[tokio::test]
async fn an_entry_continues_the_trace_of_the_producer_whatever_consumer_takes_it() {
    let broker = Broker::start();
    let (sender, recorder) = (Recorder::new(), Recorder::new());
    let producer: FutureProducer = broker.config().create().unwrap();
    let sent = sender
        .in_entry(async { producer.send(record(), LONG).await })
        .await;
    sent.unwrap();
    let exit = sender.span("kafka", Kind::Exit);

    let stream: StreamConsumer = broker.config().create().unwrap();
    stream.assign(&partitions(&[0])).unwrap();
    let received = stream.recv().await.unwrap();
    let handled = recorder.scope(async {
        let handle = async {
            instana::exit_span("store").end();
            received.payload().map(<[u8]>::len)
        };
        received.in_entry_span(handle).await
    });
    assert_eq!(handled.await, Some(7));

    let base: BaseConsumer = broker.config().create().unwrap();
    base.assign(&partitions(&[0])).unwrap();
    let received = base.poll(LONG).unwrap().unwrap();
    recorder.enter(|| received.enter_entry_span(|| instana::exit_span("store").end()));
    let owned = received.detach();
    recorder.enter(|| owned.entry_span().end());

    let split: BaseConsumer = broker.config().create().unwrap();
    let split = std::sync::Arc::new(split);
    split.assign(&partitions(&[0])).unwrap();
    let queue = split.split_partition_queue(TOPIC, 0).unwrap();
    // It is the consumer that talks to the broker.
    let received = std::iter::repeat_with(|| {
        assert!(split.poll(Duration::ZERO).is_none());
        queue.poll(Duration::from_millis(20))
    });
    let received = received.flatten().next().unwrap().unwrap();
    recorder.enter(|| received.entry_span().end());

    let spans = recorder.spans();
    let entries: Vec<_> = spans
        .iter()
        .filter(|span| span.kind() == Kind::Entry)
        .collect();
    assert_eq!(entries.len(), 4);
    for entry in entries {
        assert_eq!((entry.trace(), entry.parent()), (exit.trace(), exit.id()));
        assert_eq!(entry.text("data.kafka.service").as_deref(), Some(TOPIC));
        assert_eq!(entry.text("data.kafka.access").as_deref(), Some("consume"));
        assert_eq!((entry.errors(), entry.has("lt")), (0, false));
    }
    for store in spans.iter().filter(|span| span.kind() == Kind::Exit) {
        assert!(spans.iter().any(|entry| entry.id() == store.parent()));
    }
}

#[test]
fn the_headers_of_siblings_are_understood() {
    let padded = format!("{T:0>32}");
    let table: [&[(&str, &str)]; 4] = [
        // Go.
        &[
            ("X_INSTANA_T", &padded),
            ("X_INSTANA_S", S),
            ("X_INSTANA_L_S", "1"),
        ],
        // Node.
        &[("X_INSTANA_T", &padded), ("X_INSTANA_S", S)],
        // Python.
        &[
            ("x_instana_t", T),
            ("x_instana_s", S),
            ("x_instana_l_s", "1"),
        ],
        // Others beside them.
        &[
            ("color", "red"),
            ("X_INSTANA_S", S),
            ("x_instana_T", T),
            ("a", ""),
        ],
    ];
    for list in table {
        let recorder = Recorder::new();
        let list: Vec<_> = list
            .iter()
            .map(|(key, value)| (*key, Some(*value)))
            .collect();
        let message = message(Some(headers(&list)));
        recorder.enter(|| message.entry_span().end());
        let entry = recorder.span("kafka", Kind::Entry);
        assert_eq!(
            (entry.trace(), entry.parent()),
            (T.to_owned(), S.to_owned())
        );
    }
}

#[tokio::test]
async fn each_format_is_read_again() {
    for format in ["string", "binary", "both"] {
        let broker = Broker::start();
        let recorder = Recorder::builder()
            .environment(&[("INSTANA_KAFKA_HEADER_FORMAT", format)])
            .build();
        let producer: FutureProducer = broker.config().create().unwrap();
        let sent = recorder
            .in_entry(async { producer.send(record(), LONG).await })
            .await;
        sent.unwrap();
        let message = broker.records(1).remove(0);
        let count = message.headers().map(Headers::count);
        assert_eq!(
            count,
            Some(if format == "both" {
                5
            } else {
                3 - usize::from(format == "binary")
            })
        );
        recorder.enter(|| message.entry_span().end());
        assert_eq!(
            recorder.span("kafka", Kind::Entry).parent(),
            recorder.span("kafka", Kind::Exit).id()
        );
    }
    assert_eq!(KafkaHeaderFormat::default().to_string(), "string");
}

#[test]
fn a_context_that_cannot_be_read_begins_a_trace_and_is_counted() {
    let long = "1".repeat(33);
    let table: [&[(&str, Option<&str>)]; 5] = [
        &[("X_INSTANA_T", None), ("X_INSTANA_S", None)],
        &[("X_INSTANA_T", Some(&long)), ("X_INSTANA_S", Some(S))],
        &[
            ("X_INSTANA_T", Some("\u{fffd}\0\u{1}")),
            ("X_INSTANA_S", Some(S)),
        ],
        &[("X_INSTANA_C", Some("too short"))],
        &[("X_INSTANA_L_S", Some("yes"))],
    ];
    for list in table {
        let recorder = Recorder::new();
        let message = message(Some(headers(list)));
        recorder.enter(|| message.entry_span().end());
        assert_eq!(recorder.counts().contexts_malformed, 1, "{list:?}");
        assert_eq!(recorder.span("kafka", Kind::Entry).parent(), "");
    }
    let recorder = Recorder::new();
    recorder.enter(|| message(None).entry_span().end());
    assert_eq!(recorder.span("kafka", Kind::Entry).parent(), "");
}

#[tokio::test]
async fn what_the_handler_returns_can_be_recorded() {
    let recorder = Recorder::new();
    let (message, failure) = (message(None), std::io::Error::other("no stock"));
    let handled = recorder.scope(async {
        let handle = async { Err::<(), _>(failure) };
        let record = |entry: &mut instana::Span, result: &Result<(), std::io::Error>| {
            if let Err(error) = result {
                entry.record_error(error);
            }
        };
        message.in_entry_span_with(handle, record).await
    });
    assert!(handled.await.is_err());
    assert_eq!(
        recorder
            .span("kafka", Kind::Entry)
            .text("data.kafka.error")
            .unwrap_or_default(),
        "no stock"
    );
}

#[tokio::test]
async fn a_handler_that_panics_marks_its_entry_and_goes_on() {
    let recorder = Recorder::new();
    let message = message(None);
    let result = catch_unwind(AssertUnwindSafe(|| {
        recorder.enter(|| message.enter_entry_span(|| panic!("on purpose")));
    }));
    assert!(result.is_err());
    assert_eq!(
        recorder
            .span("kafka", Kind::Entry)
            .text("data.kafka.error")
            .unwrap_or_default(),
        "panicked"
    );

    recorder.clear();
    let handler = recorder.scope({
        let message = message.clone();
        async move { message.in_entry_span(async { panic!("on purpose") }).await }
    });
    let result: Result<(), _> = tokio::spawn(handler).await;
    assert!(result.is_err());
    assert_eq!(
        recorder
            .span("kafka", Kind::Entry)
            .text("data.kafka.error")
            .unwrap_or_default(),
        "panicked"
    );

    // The next one is as good as ever.
    recorder.clear();
    recorder.enter(|| message.enter_entry_span(|| ()));
    assert_eq!(recorder.span("kafka", Kind::Entry).errors(), 0);
}

#[tokio::test]
async fn a_suppressed_chain_stays_suppressed() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: FutureProducer = broker.config().create().unwrap();
    let received = message(Some(headers(&[
        ("x_instana_l_s", Some("0")),
        ("a", Some("1")),
    ])));
    let sent = recorder.scope(async {
        let handle = async {
            let record = record().headers(received.headers().unwrap().clone());
            producer.send(record, LONG).await
        };
        received.in_entry_span(handle).await
    });
    sent.await.unwrap();
    let sent_on = broker.records(1).remove(0);
    assert_eq!(lines(sent_on.headers()), ["a=1", "X_INSTANA_L_S=0"]);
    recorder.enter(|| sent_on.enter_entry_span(|| instana::exit_span("store").end()));
    recorder.assert_empty();
}

#[test]
fn ignored_topics_are_not_recorded() {
    let message = message(Some(headers(&[
        ("X_INSTANA_T", Some(T)),
        ("X_INSTANA_S", Some(S)),
    ])));
    let ignored = IgnoredEndpoint::of("kafka")
        .methods(["consume"])
        .endpoints([TOPIC]);
    let recorder = Recorder::builder().ignored_endpoints([ignored]).build();
    recorder.enter(|| message.enter_entry_span(|| instana::exit_span("store").end()));
    recorder.assert_empty();
}

#[tokio::test]
async fn without_a_tracer_the_handler_just_runs() {
    let message = message(Some(headers(&[("X_INSTANA_T", Some("garbage"))])));
    assert_eq!(message.in_entry_span(async { 1 }).await, 1);
    assert_eq!(message.enter_entry_span(|| 2), 2);
    assert!(!message.entry_span().is_recording());
}

fn traced() -> OwnedMessage {
    message(Some(headers(&[
        ("X_INSTANA_T", Some(T)),
        ("X_INSTANA_S", Some(S)),
    ])))
}

/// docs/ARCHITECTURE.md, "Entries inside of entries".
#[test]
fn inside_of_an_entry_of_another_kind_a_record_has_its_own_trace() {
    use instana::Span;
    use instana::propagation::Incoming;
    use instana::span::http;

    let open: [fn() -> Span; 2] = [
        || instana::entry_span("job"),
        || Span::entry(&http::ENTRY, &Incoming::none()),
    ];
    for open in open {
        let recorder = Recorder::new();
        recorder.enter(|| {
            open().enter(|| {
                for record in [traced(), message(None)] {
                    record.enter_entry_span(|| instana::exit_span("store").end());
                }
            });
        });
        let entries: Vec<_> = recorder
            .spans()
            .into_iter()
            .filter(|span| span.name() == "kafka")
            .collect();
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].trace(), entries[0].parent()),
            (T.to_owned(), S.to_owned())
        );
        assert_eq!(entries[1].parent(), "");
        assert!(
            entries
                .iter()
                .all(|entry| recorder.children(entry).len() == 1)
        );
        assert_eq!(recorder.unrecorded(), []);
    }
}

#[test]
fn inside_of_another_records_entry_a_record_is_counted() {
    let recorder = Recorder::new();
    let line = line!() + 3;
    recorder.enter(|| {
        message(None).enter_entry_span(|| {
            traced().enter_entry_span(|| instana::exit_span("store").end());
            [traced(), traced()].entry_span().end();
        });
    });
    recorder.assert_tree("entry kafka\n  exit store");
    let places: Vec<_> = recorder
        .unrecorded()
        .into_iter()
        .map(|lost| lost.place)
        .collect();
    let place = |line| Some(format!("{}:{line}", file!()));
    assert_eq!(places, [place(line), place(line + 1)]);
}
