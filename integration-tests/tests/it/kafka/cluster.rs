//! The broker that the tests use.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::LONG;
use crate::services::variable;
use instana::span::Kind;

pub(super) struct Cluster {
    address: String,
    mock: Option<MockCluster<'static, DefaultProducerContext>>,
}

impl Cluster {
    /// The one at `KAFKA_BROKERS`, or where that says `mock` one of librdkafka's own.
    pub(super) fn find() -> Self {
        let address = variable("KAFKA_BROKERS");
        if address != "mock" {
            return Self {
                address,
                mock: None,
            };
        }
        let mock = MockCluster::new(1).unwrap();
        Self {
            address: mock.bootstrap_servers(),
            mock: Some(mock),
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// A topic of a name that nobody else has.
    pub(super) async fn topic(&self, name: &str, partitions: i32) -> String {
        let topic = unique(name);
        if let Some(mock) = &self.mock {
            mock.create_topic(&topic, partitions, 1).unwrap();
            return topic;
        }
        let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
        let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(LONG));
        let created = admin.create_topics([&new], &options).await.unwrap();
        assert!(created.iter().all(Result::is_ok), "{created:?}");
        topic
    }

    pub(super) fn config(&self) -> ClientConfig {
        config(&self.address)
    }
}

/// Of clients, with a short session so that a group is soon complete.
pub(super) fn config(address: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", address)
        .set("group.id", unique("group"))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "300")
        .set("linger.ms", "0");
    config
}

/// Partition 0 of a topic, from its beginning.
pub(super) fn beginning(topic: &str) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning)
        .unwrap();
    list
}

/// Other than any name of this run and of those before it.
pub(super) fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let started = instana::testing::Recorder::new();
    started.enter(|| instana::entry_span(name).end());
    let random = started.span("sdk", Kind::Entry).id();
    format!("{name}-{}-{number}-{random}", process::id())
}
