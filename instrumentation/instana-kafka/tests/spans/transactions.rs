//! What a rollback takes back.

use instana::testing::Recorder;
use instana_kafka::{FutureProducer, ThreadedProducer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, FutureRecord, Producer, PurgeConfig};

use super::*;

/// Records wait in the queue, so that there is something to take back.
fn config(broker: &Broker, id: &str) -> ClientConfig {
    let mut config = broker.config();
    config
        .set("transactional.id", id)
        .set("linger.ms", "20000")
        .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
    config
}

fn order() -> FutureRecord<'static, str, str> {
    FutureRecord::to(TOPIC).partition(0).payload("payload")
}

#[tokio::test]
async fn a_record_that_a_rollback_takes_back_is_no_error() {
    let broker = Broker::start();
    let producer: FutureProducer = config(&broker, "future").create().unwrap();
    producer.init_transactions(LONG).unwrap();
    producer.begin_transaction().unwrap();
    let recorder = Recorder::new();
    let delivery = recorder.enter_entry(|| producer.clone().send_result(order()).unwrap());
    producer.abort_transaction(LONG).unwrap();
    let (error_of_record, _) = delivery.await.unwrap().unwrap_err();
    let purged = KafkaError::MessageProduction(RDKafkaErrorCode::PurgeQueue);
    assert_eq!(error_of_record, purged, "the application sees it");
    let span = recorder.span("kafka", Kind::Exit);
    assert_eq!(span.text("data.kafka.error").unwrap_or_default(), "");
    assert_eq!(span.errors(), 0);
    assert_eq!(span.boolean("data.sdk.custom.tags.rolled_back"), Some(true));
}

#[tokio::test]
async fn so_it_is_for_producers_with_callbacks() {
    let broker = Broker::start();
    let producer: ThreadedProducer<DefaultProducerContext> =
        config(&broker, "threaded").create().unwrap();
    producer.init_transactions(LONG).unwrap();
    producer.begin_transaction().unwrap();
    let recorder = Recorder::new();
    recorder.enter_entry(|| {
        let record = BaseRecord::<str, str, ()>::to(TOPIC).partition(0);
        producer.send(record.payload("payload")).unwrap();
    });
    producer.abort_transaction(LONG).unwrap();
    producer.flush(LONG).unwrap();
    let span = recorder.span("kafka", Kind::Exit);
    assert_eq!(
        span.errors(),
        0,
        "{}",
        span.text("data.kafka.error").unwrap_or_default()
    );
    assert_eq!(span.boolean("data.sdk.custom.tags.rolled_back"), Some(true));
}

#[tokio::test]
async fn a_record_that_is_purged_otherwise_is_an_error() {
    let recorder = Recorder::new();
    let producer: FutureProducer = nowhere("60000").create().unwrap();
    let delivery = recorder.enter_entry(|| producer.send_result(order()).unwrap());
    producer.purge(PurgeConfig::default().queue().inflight());
    delivery.await.unwrap().unwrap_err();
    let span = recorder.span("kafka", Kind::Exit);
    assert_eq!(span.errors(), 1);
    assert!(!span.has("data.sdk.custom.tags.rolled_back"));
}
