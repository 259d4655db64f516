//! The producer that polls itself.

use std::fmt;

use rdkafka::client::Client;
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::ToBytes;
use rdkafka::producer::{
    BaseRecord, DefaultProducerContext, NoCustomPartitioner, Partitioner, Producer,
    ProducerContext, PurgeConfig, ThreadedProducer as Inner,
};
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, TopicPartitionList};

use super::context::InstanaContext;
use super::forward::callback_producer;
use super::record;
use super::transaction::Transaction;

/// [`rdkafka::producer::ThreadedProducer`], whose records are recorded as exits that
/// end at delivery. [`ClientConfig::create`] and
/// [`create_with_context`](ClientConfig::create_with_context) make it.
///
/// As a [`Producer`], its context is an [`InstanaContext`] around the user's.
#[must_use = "its thread stops when it is dropped"]
pub struct ThreadedProducer<C, Part = NoCustomPartitioner>
where
    C: ProducerContext<Part> + 'static,
    Part: Partitioner,
{
    inner: Inner<InstanaContext<C>, Part>,
    transaction: Transaction,
}

callback_producer!(ThreadedProducer, C: ProducerContext<Part> + 'static);

impl<C, Part> ThreadedProducer<C, Part>
where
    C: ProducerContext<Part> + 'static,
    Part: Partitioner,
{
    /// As [`rdkafka::producer::ThreadedProducer::poll`]: not needed, as its thread
    /// polls.
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) {
        self.inner.poll(timeout);
    }
}

impl FromClientConfig for ThreadedProducer<DefaultProducerContext> {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        Self::from_config_and_context(config, DefaultProducerContext)
    }
}

impl<C, Part> FromClientConfigAndContext<C> for ThreadedProducer<C, Part>
where
    C: ProducerContext<Part> + 'static,
    Part: Partitioner + Send + Sync + 'static,
{
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        Inner::from_config_and_context(config, InstanaContext::new(context)).map(Self::from)
    }
}

impl<C: ProducerContext + 'static> Clone for ThreadedProducer<C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            transaction: self.transaction.clone(),
        }
    }
}
