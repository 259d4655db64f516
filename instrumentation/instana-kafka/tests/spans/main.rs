//! Spans of producers and consumers, with librdkafka's mock cluster.
#![expect(
    clippy::unwrap_used,
    clippy::result_large_err,
    reason = "helpers of tests; rdkafka's type"
)]

mod base;
mod batches;
mod consumers;
mod futures;
mod transactions;

use std::time::Duration;

use instana::FutureExt;
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Headers, OwnedHeaders, OwnedMessage};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureRecord};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

const LONG: Duration = Duration::from_secs(30);

const TOPIC: &str = "orders";

/// A broker of librdkafka's own.
struct Broker(MockCluster<'static, DefaultProducerContext>);

impl Broker {
    fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 2, 1).unwrap();
        Self(cluster)
    }

    fn config(&self) -> ClientConfig {
        config(&self.0.bootstrap_servers())
    }

    /// The first records of the topic's partition 0.
    fn records(&self, count: usize) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = self.config().create().unwrap();
        consumer.assign(&partitions(&[0])).unwrap();
        (0..count)
            .map(|_| consumer.poll(LONG).unwrap().unwrap())
            .map(|message: BorrowedMessage<'_>| message.detach())
            .collect()
    }
}

fn config(broker: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", broker)
        .set("group.id", "group")
        .set("linger.ms", "0")
        .set("enable.auto.commit", "false");
    config
}

/// Of a broker that is not there: what is sent stays in the queue for so many
/// milliseconds.
fn nowhere(timeout: &str) -> ClientConfig {
    let mut config = config("127.0.0.1:1");
    config
        .set("message.timeout.ms", timeout)
        .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
    config
}

fn partitions(numbers: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for number in numbers {
        list.add_partition_offset(TOPIC, *number, Offset::Beginning)
            .unwrap();
    }
    list
}

fn record() -> FutureRecord<'static, str, str> {
    FutureRecord::to(TOPIC)
        .partition(0)
        .key("key")
        .payload("payload")
}

fn user_headers() -> OwnedHeaders {
    headers(&[("b", Some("2")), ("a", None), ("b", Some("3"))])
}

fn headers(list: &[(&str, Option<&str>)]) -> OwnedHeaders {
    list.iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: *value })
        })
}

/// Headers as lines: `name=value`, or the name alone.
fn lines(headers: Option<&impl Headers>) -> Vec<String> {
    let line = |header: Header<'_, &[u8]>| match header.value {
        None => header.key.to_owned(),
        Some(value) => format!("{}={}", header.key, String::from_utf8_lossy(value)),
    };
    headers
        .into_iter()
        .flat_map(|headers| headers.iter().map(line).collect::<Vec<_>>())
        .collect()
}

/// The lines of the headers that continue `span`.
fn context(span: &RecordedSpan) -> [String; 3] {
    [
        format!("X_INSTANA_T={:0>32}", span.trace()),
        format!("X_INSTANA_S={}", span.id()),
        "X_INSTANA_L_S=1".to_owned(),
    ]
}
