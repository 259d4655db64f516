//! Many handlers at a time.

use std::sync::Arc;

use futures_util::StreamExt;
use instana::FutureExt;
use instana::span::Kind;
use instana::testing::Recorder;
use instana_kafka::{FutureProducer, MessageExt};
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::OwnedMessage;
use rdkafka::producer::{FutureRecord, Producer};

use super::LONG;
use super::cluster::{Cluster, beginning};

const RECORDS: usize = 10_000;
const HANDLERS: usize = 32;

/// Sends records below 100 entries. Each has the id of its trace as its payload.
fn send(producer: &FutureProducer, topic: &str) {
    for _ in 0..100 {
        instana::entry_span("order").enter(|| {
            let trace = instana::current_ids().trace().unwrap().to_string();
            for _ in 0..RECORDS / 100 {
                let record = FutureRecord::<str, str>::to(topic)
                    .partition(0)
                    .payload(&trace);
                // Nobody awaits the delivery.
                drop(
                    producer
                        .send_result(record)
                        .map_err(|(error, _)| error)
                        .unwrap(),
                );
            }
        });
    }
    producer.flush(LONG).unwrap();
}

/// Waits as handlers do, among others; then says what it worked on.
async fn handle(message: &OwnedMessage) {
    for _ in 0..message.offset() % 5 {
        tokio::task::yield_now().await;
    }
    let store = async {
        tokio::task::yield_now().await;
        let trace = std::str::from_utf8(message.payload().unwrap()).unwrap();
        instana::current(|store| store.tag("trace", trace));
    };
    store.in_span(instana::exit_span("store")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_exit_has_a_foreign_parent() {
    let cluster = Cluster::find();
    let topic = cluster.topic("many", 1).await;
    let recorder = Arc::new(Recorder::new());
    let producer: FutureProducer = cluster.config().create().unwrap();
    recorder.enter(|| send(&producer, &topic));

    let consumer: StreamConsumer = cluster.config().create().unwrap();
    consumer.assign(&beginning(&topic)).unwrap();
    let messages = consumer.stream().take(RECORDS).map(|message| {
        let (message, recorder) = (message.unwrap().detach(), recorder.clone());
        tokio::spawn(async move {
            let handled = async { message.in_entry_span(handle(&message)).await };
            recorder.scope(handled).await;
        })
    });
    messages
        .buffer_unordered(HANDLERS)
        .for_each(async |handled| handled.unwrap())
        .await;

    let spans = recorder.spans();
    let by_id: std::collections::HashMap<_, _> =
        spans.iter().map(|span| (span.id(), span)).collect();
    let mut stores = 0;
    for store in spans.iter().filter(|span| span.label() == "store") {
        let entry = by_id[&store.parent()];
        let exit = by_id[&entry.parent()];
        assert_eq!(
            (entry.name(), entry.kind()),
            ("kafka".to_owned(), Kind::Entry)
        );
        assert_eq!((exit.name(), exit.kind()), ("kafka".to_owned(), Kind::Exit));
        let trace = store.text("data.sdk.custom.tags.trace").unwrap();
        for span in [store, entry, exit, by_id[&exit.parent()]] {
            assert_eq!((span.trace(), span.errors()), (trace.clone(), 0));
        }
        stores += 1;
    }
    assert_eq!((stores, spans.len()), (RECORDS, 3 * RECORDS + 100));
}
