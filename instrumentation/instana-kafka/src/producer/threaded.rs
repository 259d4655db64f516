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
use super::forward::forward_producer;
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

impl<C, Part> ThreadedProducer<C, Part>
where
    C: ProducerContext<Part> + 'static,
    Part: Partitioner,
{
    /// As [`rdkafka::producer::ThreadedProducer::send`], inside an exit of the current
    /// context. A record that is given back is as it was.
    ///
    /// # Errors
    /// As rdkafka's.
    #[expect(
        clippy::result_large_err,
        clippy::type_complexity,
        reason = "rdkafka's type"
    )]
    #[track_caller]
    pub fn send<'a, K, P>(
        &self,
        record: BaseRecord<'a, K, P, C::DeliveryOpaque>,
    ) -> Result<(), (KafkaError, BaseRecord<'a, K, P, C::DeliveryOpaque>)>
    where
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
    {
        record::send(record, self.transaction.is_open(), |record| {
            self.inner.send(record)
        })
    }

    /// As [`rdkafka::producer::ThreadedProducer::poll`]: not needed, as its thread
    /// polls.
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) {
        self.inner.poll(timeout);
    }

    /// The wrapped producer.
    pub fn inner(&self) -> &Inner<InstanaContext<C>, Part> {
        &self.inner
    }

    /// Takes the producer out.
    pub fn into_inner(self) -> Inner<InstanaContext<C>, Part> {
        self.inner
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

impl<C, Part> From<Inner<InstanaContext<C>, Part>> for ThreadedProducer<C, Part>
where
    C: ProducerContext<Part> + 'static,
    Part: Partitioner,
{
    fn from(inner: Inner<InstanaContext<C>, Part>) -> Self {
        Self {
            inner,
            transaction: Transaction::default(),
        }
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

impl<C, Part> Producer<InstanaContext<C>, Part> for ThreadedProducer<C, Part>
where
    C: ProducerContext<Part> + 'static,
    Part: Partitioner,
{
    forward_producer!(InstanaContext<C>);
}

impl<C, Part> fmt::Debug for ThreadedProducer<C, Part>
where
    C: ProducerContext<Part> + 'static,
    Part: Partitioner,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadedProducer").finish_non_exhaustive()
    }
}
