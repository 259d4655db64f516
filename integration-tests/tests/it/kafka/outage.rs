//! A broker that goes away and comes back.

use std::time::Duration;

use instana::FutureExt;
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use instana_kafka::{FutureProducer, MessageExt};
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::FutureRecord;

use super::LONG;
use super::cluster::{Cluster, beginning, config};
use super::proxy::Proxy;

/// How long a record is tried to be delivered where the broker is expected to stay
/// away.
const SHORT: &str = "1000";

async fn send(producer: &FutureProducer, topic: &str, payload: &str) -> Result<(), KafkaError> {
    let record = FutureRecord::<str, str>::to(topic)
        .partition(0)
        .payload(payload);
    let send = async { producer.send(record, LONG).await };
    let sent = send.in_span(instana::entry_span("order")).await;
    sent.map(drop).map_err(|(error, _)| error)
}

fn exits(recorder: &Recorder) -> Vec<RecordedSpan> {
    let mut spans = recorder.spans();
    spans.retain(|span| (span.name().as_str(), span.kind()) == ("kafka", Kind::Exit));
    spans
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_delivered_is_an_error_and_what_waited_is_slow() {
    let cluster = Cluster::find();
    let topic = cluster.topic("outage", 1).await;
    let proxy = Proxy::start(cluster.address()).await;
    let mut clients = config(&proxy.address());
    clients
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "100")
        .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
    let patient: FutureProducer = clients.create().unwrap();
    let hasty: FutureProducer = clients
        .clone()
        .set("message.timeout.ms", SHORT)
        .create()
        .unwrap();
    let consumer: StreamConsumer = clients.create().unwrap();
    consumer.assign(&beginning(&topic)).unwrap();
    let recorder = Recorder::new();
    let work = async {
        send(&hasty, &topic, "before").await.unwrap();
        send(&patient, &topic, "warm").await.unwrap();
        proxy.cut_off().await;
        // One waits for the broker; the other gives up meanwhile.
        let (waited, ()) = tokio::join!(send(&patient, &topic, "during"), async {
            let lost = send(&hasty, &topic, "lost").await;
            let timed_out = KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut);
            assert_eq!(lost, Err(timed_out));
            proxy.restore();
        });
        waited.unwrap();
        send(&hasty, &topic, "after").await.unwrap();
        let mut seen = Vec::new();
        while seen.len() < 4 {
            // A consumer tells of the broker that is gone, and goes on.
            let Ok(message) = consumer.recv().await else {
                continue;
            };
            let payload = String::from_utf8(message.payload().unwrap().to_vec()).unwrap();
            message.enter_entry_span(|| {
                instana::current(|entry| entry.tag("payload", payload.as_str()));
            });
            seen.push(payload);
        }
        assert_eq!(seen, ["before", "warm", "during", "after"]);
    };
    tokio::time::timeout(LONG, recorder.scope(work))
        .await
        .unwrap();

    let exits = exits(&recorder);
    assert_eq!(exits.len(), 5);
    let failed: Vec<_> = exits.iter().filter(|exit| exit.errors() > 0).collect();
    assert_eq!(failed.len(), 1);
    let error = failed[0].text("data.kafka.error").unwrap();
    assert!(error.contains("MessageTimedOut"), "{error}");
    let outage = Duration::from_millis(failed[0].duration());
    assert!(outage >= Duration::from_millis(900), "{outage:?}");

    let spans = recorder.spans();
    let entries: Vec<_> = spans
        .iter()
        .filter(|span| (span.name().as_str(), span.kind()) == ("kafka", Kind::Entry))
        .collect();
    assert_eq!(entries.len(), 4);
    for entry in entries {
        let exit = exits
            .iter()
            .find(|exit| exit.id() == entry.parent())
            .unwrap();
        assert_eq!((exit.trace(), exit.errors()), (entry.trace(), 0));
        if entry.text("data.sdk.custom.tags.payload").as_deref() == Some("during") {
            assert!(
                exit.duration() >= failed[0].duration() - 50,
                "{}",
                exit.json()
            );
        }
    }
}
