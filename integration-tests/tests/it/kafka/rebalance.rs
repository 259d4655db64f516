//! A second consumer that joins the group in the middle.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use instana::FutureExt;
use instana::span::Kind;
use instana::testing::Recorder;
use instana_kafka::{FutureProducer, MessageExt};
use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::producer::FutureRecord;
use rdkafka::{ClientConfig, Message};

use super::LONG;
use super::cluster::Cluster;

const RECORDS: usize = 100;

/// Partitions and offsets of the records that a member of the group has handled.
type Handled = Arc<Mutex<HashSet<(i32, i64)>>>;

/// Handles records until it is stopped.
async fn consume(config: ClientConfig, topic: String, recorder: Recorder, handled: Handled) {
    let consumer: StreamConsumer = config.create().unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    loop {
        let message = consumer.recv().await.unwrap();
        let handle = async {
            let store = instana::exit_span("store");
            async { tokio::task::yield_now().await }
                .in_span(store)
                .await;
        };
        recorder
            .scope(async { message.in_entry_span(handle).await })
            .await;
        // What is not committed before the partition goes to the other one is
        // handled again, as without a tracer.
        let _ = consumer.commit_message(&message, CommitMode::Sync);
        let place = (message.partition(), message.offset());
        handled.lock().unwrap().insert(place);
    }
}

async fn send(producer: &FutureProducer, topic: &str, partition: i32) {
    let record = FutureRecord::<str, str>::to(topic)
        .partition(partition)
        .payload("tea");
    let send = async { producer.send(record, LONG).await };
    let sent = send.in_span(instana::entry_span("order")).await;
    sent.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_record_is_in_the_trace_of_its_producer() {
    let cluster = Cluster::find();
    let topic = cluster.topic("shared", 4).await;
    let (config, recorder) = (cluster.config(), Recorder::new());
    let producer: FutureProducer = config.create().unwrap();
    let handled: [Handled; 2] = Default::default();
    let count = |member: usize| handled[member].lock().unwrap().len();
    let join = |member: usize| {
        let (config, recorder) = (config.clone(), recorder.clone());
        tokio::spawn(consume(
            config,
            topic.clone(),
            recorder,
            handled[member].clone(),
        ))
    };
    let mut members = vec![join(0)];
    let mut sent = 0;
    let work = async {
        // Until both have had their share, and so often at least.
        while sent < RECORDS || count(0) < 10 || count(1) < 10 {
            send(&producer, &topic, (sent % 4) as i32).await;
            sent += 1;
            if sent == RECORDS / 2 {
                members.push(join(1));
            }
            if sent > RECORDS {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
        let is_missing = || {
            let [first, second] = &handled;
            let (first, second) = (first.lock().unwrap(), second.lock().unwrap());
            first.union(&second).count() < sent
        };
        while is_missing() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, recorder.scope(work))
        .await
        .expect("both members handle records, and all are handled");
    for member in members {
        member.abort();
    }

    let spans = recorder.spans();
    let exits: Vec<_> = spans
        .iter()
        .filter(|span| (span.name().as_str(), span.kind()) == ("kafka", Kind::Exit))
        .collect();
    let mut entered = HashSet::new();
    for entry in spans
        .iter()
        .filter(|span| (span.name().as_str(), span.kind()) == ("kafka", Kind::Entry))
    {
        let exit = exits.iter().find(|exit| exit.id() == entry.parent());
        assert_eq!(exit.unwrap().trace(), entry.trace());
        entered.insert(entry.parent());
        assert_eq!(entry.errors(), 0);
    }
    assert_eq!((exits.len(), entered.len()), (sent, sent), "none is lost");
}
