//! `FutureProducer`.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use futures_util::FutureExt as _;
use instana::IgnoredEndpoint;
use instana::span::Kind;
use instana_kafka::FutureProducer;
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{Producer, PurgeConfig};

use super::*;

fn is(error: &KafkaError, code: RDKafkaErrorCode) -> bool {
    *error == KafkaError::MessageProduction(code)
}

#[tokio::test]
async fn a_record_is_an_exit_until_its_delivery() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: FutureProducer = broker.config().create().unwrap();
    let sent = recorder
        .in_entry(async { producer.send(record().headers(user_headers()), LONG).await })
        .await;
    assert_eq!(sent.unwrap().partition, 0);

    let span = recorder.span("kafka", Kind::Exit);
    assert_eq!(
        (span.text("data.kafka.service").unwrap(), span.errors()),
        (TOPIC.to_owned(), 0)
    );
    assert_eq!(span.text("data.kafka.access").as_deref(), Some("send"));
    assert_eq!(span.parent(), recorder.span("sdk", Kind::Entry).id());
    let message = broker.records(1).remove(0);
    let lines = lines(message.headers());
    assert_eq!(lines[..3], ["b=2", "a", "b=3"]);
    assert_eq!(lines[3..], context(&span));
    assert_eq!(message.payload(), Some(b"payload".as_slice()));
    assert_eq!(message.key(), Some(b"key".as_slice()));
}

#[tokio::test]
async fn a_wrapped_producer_and_its_clones_record() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let inner: rdkafka::producer::FutureProducer = broker.config().create().unwrap();
    let producer = FutureProducer::from(inner).clone();
    let delivery = recorder.enter_entry(|| producer.send_result(record()));
    let delivery = delivery.map_err(|(error, _)| error).unwrap();
    assert_eq!(delivery.await.unwrap().unwrap().offset, 0);
    assert_eq!(recorder.span("kafka", Kind::Exit).errors(), 0);
    // librdkafka counts down when its callback has returned.
    producer.flush(LONG).unwrap();
    assert_eq!(producer.in_flight_count(), 0);
    let with_context: FutureProducer<DefaultClientContext> = broker
        .config()
        .create_with_context(DefaultClientContext)
        .unwrap();
    with_context.inner().poll(Duration::ZERO);
    with_context.into_inner().flush(LONG).unwrap();
}

#[tokio::test]
async fn the_span_of_a_dropped_delivery_ends_with_the_delivery() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: FutureProducer = broker.config().create().unwrap();
    // One that was polled, and one that was not.
    recorder.enter_entry(|| {
        let mut sending = pin!(producer.send(record(), LONG));
        let polled = sending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    });
    drop(recorder.enter_entry(|| producer.send_result(record())));
    producer.flush(LONG).unwrap();
    let spans = recorder.spans();
    let exits: Vec<_> = spans.iter().filter(|span| span.name() == "kafka").collect();
    assert_eq!(exits.len(), 2);
    assert!(exits.iter().all(|span| span.errors() == 0));
    assert_eq!(broker.records(2).len(), 2);
}

#[tokio::test]
async fn a_delivery_that_fails_is_an_error_and_gives_the_record_back() {
    let recorder = Recorder::new();
    let producer: FutureProducer = nowhere("50").create().unwrap();
    let record = record().headers(user_headers());
    let sent = recorder
        .in_entry(async { producer.send(record, LONG).await })
        .await;
    let (failure, message) = sent.unwrap_err();
    assert!(is(&failure, RDKafkaErrorCode::MessageTimedOut), "{failure}");
    assert_eq!(lines(message.headers()), ["b=2", "a", "b=3"]);
    assert_eq!(message.payload(), Some(b"payload".as_slice()));
    let span = recorder.span("kafka", Kind::Exit);
    assert_eq!(
        (
            span.errors(),
            span.text("data.kafka.error").unwrap_or_default()
        ),
        (1, failure.to_string())
    );
    assert!(
        span.text("data.kafka.error")
            .unwrap_or_default()
            .contains("MessageTimedOut"),
        "{}",
        span.text("data.kafka.error").unwrap_or_default()
    );

    // Without headers of its own, it comes back without any.
    let recorder = Recorder::new();
    let sent = recorder
        .in_entry(async { producer.send(self::record(), LONG).await })
        .await;
    assert!(sent.unwrap_err().1.headers().is_none());
}

#[tokio::test]
async fn a_failed_delivery_that_nobody_awaits_is_an_error() {
    let recorder = Recorder::new();
    let producer: FutureProducer = nowhere("50").create().unwrap();
    drop(recorder.enter_entry(|| producer.send_result(record())));
    producer.flush(LONG).unwrap();
    let error = recorder
        .span("kafka", Kind::Exit)
        .text("data.kafka.error")
        .unwrap_or_default();
    assert!(error.contains("MessageTimedOut"), "{error}");
}

#[tokio::test]
async fn a_full_queue_is_an_error_at_once_and_the_record_is_as_it_was() {
    let mut config = nowhere("60000");
    config.set("queue.buffering.max.messages", "1");
    let producer: FutureProducer = config.create().unwrap();
    // Nobody traces the one that fills it.
    assert!(producer.send_result(record()).is_ok());

    let recorder = Recorder::new();
    let given = record()
        .timestamp(7)
        .headers(headers(&[("X_INSTANA_T", Some("1")), ("a", None)]));
    let result = recorder.enter_entry(|| producer.send_result(given));
    let (failure, given) = result.err().unwrap();
    assert!(is(&failure, RDKafkaErrorCode::QueueFull), "{failure}");
    assert_eq!(lines(given.headers.as_ref()), ["X_INSTANA_T=1", "a"]);
    assert_eq!((given.partition, given.timestamp), (Some(0), Some(7)));
    assert_eq!(
        recorder
            .span("kafka", Kind::Exit)
            .text("data.kafka.error")
            .unwrap_or_default(),
        failure.to_string()
    );

    let recorder = Recorder::new();
    let given = record().headers(user_headers());
    let sent = recorder
        .in_entry(async { producer.send(given, Duration::ZERO).await })
        .await;
    let (failure, given) = sent.unwrap_err();
    assert!(is(&failure, RDKafkaErrorCode::QueueFull), "{failure}");
    assert_eq!(lines(given.headers()), ["b=2", "a", "b=3"]);
    assert_eq!(
        recorder
            .span("kafka", Kind::Exit)
            .text("data.kafka.error")
            .unwrap_or_default(),
        failure.to_string()
    );
}

#[tokio::test]
async fn a_record_waits_for_room_and_its_span_with_it() {
    let mut config = nowhere("60000");
    config.set("queue.buffering.max.messages", "1");
    let producer: FutureProducer = config.create().unwrap();
    assert!(producer.send_result(record()).is_ok());
    let recorder = Recorder::new();
    let waiting = recorder.in_entry(async { producer.send(record(), LONG).await });
    // The queue gets room, and then nothing more is known of the record.
    let purge = async {
        loop {
            producer.purge(PurgeConfig::default().queue());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let sent = tokio::select! {
        biased;
        sent = waiting => sent,
        () = purge => unreachable!("it goes on for ever"),
    };
    let (failure, _) = sent.unwrap_err();
    assert!(is(&failure, RDKafkaErrorCode::PurgeQueue), "{failure}");
    let span = recorder.span("kafka", Kind::Exit);
    assert_eq!(
        span.text("data.kafka.error").unwrap_or_default(),
        failure.to_string()
    );
    assert!(span.duration() >= 90, "it waited: {}", span.json());
}

#[tokio::test]
async fn given_up_before_it_is_in_the_queue_it_is_cancelled() {
    let mut config = nowhere("60000");
    config.set("queue.buffering.max.messages", "1");
    let producer: FutureProducer = config.create().unwrap();
    assert!(producer.send_result(record()).is_ok());
    for polled in [false, true] {
        let recorder = Recorder::new();
        recorder.enter_entry(|| {
            let mut sending = Box::pin(producer.send(record(), LONG));
            if polled {
                assert!(sending.as_mut().now_or_never().is_none());
            }
        });
        let error = recorder
            .span("kafka", Kind::Exit)
            .text("data.kafka.error")
            .unwrap_or_default();
        assert!(error.starts_with("cancelled after "), "{error}");
    }
}

#[tokio::test]
async fn a_producer_that_goes_ends_what_it_has() {
    let recorder = Recorder::new();
    let producer: FutureProducer = nowhere("60000").create().unwrap();
    let awaited = recorder.enter_entry(|| producer.send_result(record()));
    let awaited = awaited.map_err(|(error, _)| error).unwrap();
    drop(recorder.enter_entry(|| producer.send_result(record())));
    drop(producer);
    let spans = recorder.spans();
    let errors: Vec<_> = spans
        .iter()
        .filter(|span| span.name() == "kafka")
        .map(|span| span.text("data.kafka.error").unwrap_or_default())
        .collect();
    assert_eq!(errors.len(), 2, "they end with their producer");
    assert!(errors.iter().all(|error| error.contains("PurgeQueue")));
    let (failure, _) = awaited.await.unwrap().unwrap_err();
    assert!(is(&failure, RDKafkaErrorCode::PurgeQueue), "{failure}");
}

#[tokio::test]
async fn transactions_go_through() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let mut config = broker.config();
    config.set("transactional.id", "transaction");
    let producer: FutureProducer = config.create().unwrap();
    producer.init_transactions(LONG).unwrap();
    producer.begin_transaction().unwrap();
    let sent = recorder
        .in_entry(async { producer.send(record(), LONG).await })
        .await;
    sent.unwrap();
    producer.commit_transaction(LONG).unwrap();
    assert_eq!(recorder.span("kafka", Kind::Exit).errors(), 0);

    producer.begin_transaction().unwrap();
    producer.abort_transaction(LONG).unwrap();
}

#[tokio::test]
async fn a_suppressed_call_says_so_to_the_consumer() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: FutureProducer = broker.config().create().unwrap();
    let given = record().headers(headers(&[("x_instana_s", Some("1")), ("a", Some("1"))]));
    let job = async { async { producer.send(given, LONG).await }.suppress().await };
    recorder.scope(job).await.unwrap();
    recorder.assert_empty();
    let message = broker.records(1).remove(0);
    assert_eq!(lines(message.headers()), ["a=1", "X_INSTANA_L_S=0"]);
}

#[tokio::test]
async fn without_a_trace_the_record_is_sent_as_it_is() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: FutureProducer = broker.config().create().unwrap();
    let given = || record().headers(headers(&[("X_INSTANA_T", Some("1")), ("a", None)]));
    // With a tracer and without an entry, and without a tracer.
    recorder.scope(producer.send(given(), LONG)).await.unwrap();
    producer.send(given(), LONG).await.unwrap();
    recorder.assert_empty();
    for message in broker.records(2) {
        assert_eq!(lines(message.headers()), ["X_INSTANA_T=1", "a"]);
    }
}

#[tokio::test]
async fn an_ignored_topic_is_not_recorded() {
    let broker = Broker::start();
    let producer: FutureProducer = broker.config().create().unwrap();
    let ignored = IgnoredEndpoint::of("kafka")
        .methods(["send"])
        .endpoints([TOPIC]);
    let recorder = Recorder::builder().ignored_endpoints([ignored]).build();
    let sent = recorder
        .in_entry(async { producer.send(record(), LONG).await })
        .await;
    sent.unwrap();
    recorder.assert_tree("entry job");
    let message = broker.records(1).remove(0);
    assert_eq!(lines(message.headers()), ["X_INSTANA_L_S=0"]);
}

#[tokio::test]
async fn its_futures_can_be_spawned() {
    let (broker, recorder) = (Broker::start(), Recorder::new());
    let producer: FutureProducer = broker.config().create().unwrap();
    let job = async {
        let tasks = (0..8).map(|_| {
            let (producer, entry) = (producer.clone(), instana::entry_span("job"));
            let send = async move { producer.send(record(), LONG).await.map(drop) };
            tokio::spawn(send.in_span(entry))
        });
        let tasks: Vec<_> = tasks.collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    };
    recorder.scope(job).await;
    let spans = recorder.spans();
    assert_eq!(spans.len(), 16);
    for exit in spans.iter().filter(|span| span.kind() == Kind::Exit) {
        let parent = spans.iter().find(|span| span.id() == exit.parent());
        assert_eq!(parent.unwrap().trace(), exit.trace());
    }
}

#[tokio::test]
async fn below_an_exit_a_record_carries_the_ids_of_the_exit() {
    let broker = Broker::start();
    let recorder = Recorder::new();
    let producer: FutureProducer = broker.config().create().unwrap();
    let send = async {
        let outer = instana::exit_span("publish");
        let record = record().headers(user_headers());
        let call = async { producer.send(record, LONG).await };
        call.in_span(outer).await
    };
    recorder.in_entry(send).await.unwrap();
    let publish = recorder.labelled("publish");
    assert_eq!(recorder.spans().len(), 2, "the job and its exit");
    let lines = lines(broker.records(1)[0].headers());
    assert_eq!(lines[3..], context(&publish));
}
