//! Orders go through a topic of their own.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use instana_kafka::{FutureProducer, MessageExt};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::producer::FutureRecord;
use rdkafka::{ClientConfig, Message};

use crate::{Outcome, environment};

/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// This shop's topic, and the name of its workers' group.
pub(crate) struct Topic {
    name: String,
    admin: AdminClient<DefaultClientContext>,
}

impl Topic {
    /// Creates it where `KAFKA_BROKERS` is set.
    pub(crate) async fn create() -> Outcome<Option<Self>> {
        let Some(brokers) = environment::brokers() else {
            return Ok(None);
        };
        let shop = RandomState::new().hash_one(std::process::id());
        let name = format!("shop-orders-{:x}", shop >> 40);
        let admin: AdminClient<DefaultClientContext> = config(&brokers).create()?;
        let new = NewTopic::new(&name, 1, TopicReplication::Fixed(1));
        let cannot = |error: &dyn std::fmt::Display| {
            format!("Kafka at KAFKA_BROKERS ({brokers}): {name} cannot be created: {error}")
        };
        let created = admin.create_topics([&new], &options()).await;
        for topic in created.map_err(|error| cannot(&error))? {
            topic.map_err(|(_, error)| cannot(&error))?;
        }
        Ok(Some(Self { name, admin }))
    }

    pub(crate) fn describe(topic: Option<&Self>) -> Option<&'static str> {
        topic.map(|_| "orders go through Kafka to a worker")
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the topic away.
    pub(crate) async fn delete(self) -> Outcome<()> {
        for deleted in self.admin.delete_topics(&[&self.name], &options()).await? {
            deleted.map_err(|(topic, error)| format!("{topic} stays at the broker: {error}"))?;
        }
        Ok(())
    }
}

/// Where orders go.
#[derive(Clone)]
pub(crate) struct Orders {
    producer: FutureProducer,
    topic: String,
}

impl Orders {
    pub(crate) fn open(topic: Option<&str>) -> Outcome<Option<Self>> {
        let Some((brokers, topic)) = environment::brokers().zip(topic) else {
            return Ok(None);
        };
        Ok(Some(Self {
            producer: config(&brokers).create()?,
            topic: topic.to_owned(),
        }))
    }

    /// Returns when the broker has the order.
    pub(crate) async fn place(&self, id: &str) -> Result<(), String> {
        let record = FutureRecord::to(&self.topic).key(id).payload(id);
        let sent = self.producer.send(record, PATIENCE).await;
        sent.map(drop).map_err(|(error, _)| error.to_string())
    }
}

/// Handles orders, each in the trace of its request.
pub(crate) async fn work<F: Future<Output = ()>>(
    topic: Option<&str>,
    handle: impl Fn(String) -> F,
) -> Outcome<()> {
    let (brokers, topic) = environment::brokers()
        .zip(topic)
        .ok_or("the worker has no topic")?;
    let mut config = config(&brokers);
    config
        .set("group.id", topic)
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "6000");
    let consumer: StreamConsumer = config.create()?;
    consumer.subscribe(&[topic])?;
    loop {
        match consumer.recv().await {
            Ok(message) => {
                let id = String::from_utf8_lossy(message.payload().unwrap_or_default());
                message.in_entry_span(handle(id.into_owned())).await;
            }
            // rdkafka tries again by itself.
            Err(error) => eprintln!("shop: worker: {error}"),
        }
    }
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("message.timeout.ms", PATIENCE.as_millis().to_string());
    config
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE))
}
