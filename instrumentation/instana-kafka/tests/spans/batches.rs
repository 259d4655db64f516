//! Entries of records that are handled together.

use instana::span::Kind;
use instana_kafka::{BatchExt, batch_entry_span};
use rdkafka::Timestamp;
use rdkafka::error::{KafkaError, KafkaResult};

use super::*;

const TRACED: &str = "00000000000000ab";

fn message(topic: &str, list: &[(&str, Option<&str>)]) -> OwnedMessage {
    let headers = (!list.is_empty()).then(|| headers(list));
    OwnedMessage::new(
        None,
        None,
        topic.to_owned(),
        Timestamp::NotAvailable,
        0,
        0,
        headers,
    )
}

fn traced(topic: &str, trace: &str) -> OwnedMessage {
    message(
        topic,
        &[("X_INSTANA_T", Some(trace)), ("X_INSTANA_S", Some("1"))],
    )
}

fn suppressed(topic: &str) -> OwnedMessage {
    message(topic, &[("X_INSTANA_L_S", Some("0"))])
}

fn entry(messages: &[OwnedMessage]) -> RecordedSpan {
    let recorder = Recorder::new();
    recorder.enter(|| messages.entry_span().end());
    recorder.span("kafka", Kind::Entry)
}

#[test]
fn one_entry_has_the_number_and_the_topics_and_continues_the_first_trace() {
    let entry = entry(&[
        message("b", &[]),
        message(
            "a",
            &[("X_INSTANA_T", Some("garbage")), ("X_INSTANA_S", Some("1"))],
        ),
        suppressed("b"),
        traced("c", TRACED),
        traced("a", "00000000000000cd"),
    ]);
    assert_eq!(
        (entry.trace(), entry.parent()),
        (TRACED.to_owned(), format!("{:0>16}", 1))
    );
    assert_eq!(entry.integer("b.s"), Some(5));
    assert_eq!(entry.text("data.kafka.service").as_deref(), Some("b,a,c"));
    assert_eq!(entry.text("data.kafka.access").as_deref(), Some("consume"));
}

#[test]
fn a_batch_of_one_is_like_one() {
    let entry = entry(&[traced("a", TRACED)]);
    assert_eq!((entry.trace().as_str(), entry.has("b")), (TRACED, false));
    assert_eq!(entry.text("data.kafka.service").as_deref(), Some("a"));
}

#[test]
fn without_a_trace_it_begins_one_unless_all_are_suppressed() {
    assert_eq!(entry(&[suppressed("a"), message("a", &[])]).parent(), "");
    let recorder = Recorder::new();
    recorder.enter(|| {
        let messages = [suppressed("a"), suppressed("b")];
        messages.enter_entry_span(|| {
            assert!(instana::Context::current().is_suppressed());
            instana::exit_span("store").end();
        });
        let none: [OwnedMessage; 0] = [];
        none.enter_entry_span(|| ());
    });
    recorder.assert_empty();
}

#[tokio::test]
async fn futures_and_iterators_have_it_too() {
    let recorder = Recorder::new();
    let messages: Vec<_> = [traced("a", TRACED), traced("a", TRACED)].into();
    let job = async {
        let handle = async { Err::<(), _>(std::fmt::Error) };
        let handled = messages.in_entry_span_with(handle, |entry, result| {
            if let Err(error) = result {
                entry.record_error(error);
            }
        });
        handled.await.unwrap_err();
        messages
            .in_entry_span(async { instana::exit_span("store").end() })
            .await;
    };
    recorder.scope(job).await;
    recorder.assert_tree(
        "
        entry kafka !
        entry kafka
          exit store
        ",
    );

    let recorder = Recorder::new();
    let results: Vec<KafkaResult<OwnedMessage>> = vec![
        Err(KafkaError::Canceled),
        Ok(traced("a", TRACED)),
        Ok(traced("b", TRACED)),
    ];
    recorder.enter(|| batch_entry_span(results.iter().flatten()).end());
    let entry = recorder.span("kafka", Kind::Entry);
    assert_eq!(
        (entry.trace().as_str(), entry.integer("b.s")),
        (TRACED, Some(2))
    );
}

#[test]
fn topics_without_end_are_cut() {
    let messages: Vec<_> = (0..5_000)
        .map(|number| message(&format!("topic-{number}"), &[]))
        .collect();
    let entry = entry(&messages);
    let topics = entry.text("data.kafka.service").unwrap();
    assert!(
        topics.starts_with("topic-0,topic-1,") && topics.len() <= 1_024,
        "{topics}"
    );
    assert_eq!(entry.integer("b.s"), Some(5_000));
}
