//! The producer that is polled.

use std::fmt;

use rdkafka::client::Client;
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::ToBytes;
use rdkafka::producer::{
    BaseProducer as Inner, BaseRecord, DefaultProducerContext, NoCustomPartitioner, Partitioner,
    Producer, ProducerContext, PurgeConfig,
};
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, TopicPartitionList};

use super::context::InstanaContext;
use super::forward::callback_producer;
use super::record;
use super::transaction::Transaction;

/// [`rdkafka::producer::BaseProducer`], whose records are recorded as exits that
/// end at delivery. [`ClientConfig::create`] and
/// [`create_with_context`](ClientConfig::create_with_context) make it.
///
/// As a [`Producer`], its context is an [`InstanaContext`] around the user's.
pub struct BaseProducer<C = DefaultProducerContext, Part = NoCustomPartitioner>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    inner: Inner<InstanaContext<C>, Part>,
    transaction: Transaction,
}

callback_producer!(BaseProducer, C: ProducerContext<Part>);

impl<C, Part> BaseProducer<C, Part>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    /// As [`rdkafka::producer::BaseProducer::poll`]. Spans of delivered records end
    /// here.
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) {
        self.inner.poll(timeout);
    }
}

impl FromClientConfig for BaseProducer {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        Self::from_config_and_context(config, DefaultProducerContext)
    }
}

impl<C, Part> FromClientConfigAndContext<C> for BaseProducer<C, Part>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        Inner::from_config_and_context(config, InstanaContext::new(context)).map(Self::from)
    }
}
