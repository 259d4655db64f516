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
use super::forward::forward_producer;
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

impl<C, Part> BaseProducer<C, Part>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    /// As [`rdkafka::producer::BaseProducer::send`], inside an exit of the current
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

    /// As [`rdkafka::producer::BaseProducer::poll`]. Spans of delivered records end
    /// here.
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

impl<C, Part> From<Inner<InstanaContext<C>, Part>> for BaseProducer<C, Part>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    fn from(inner: Inner<InstanaContext<C>, Part>) -> Self {
        Self {
            inner,
            transaction: Transaction::default(),
        }
    }
}

impl<C, Part> Producer<InstanaContext<C>, Part> for BaseProducer<C, Part>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    forward_producer!(InstanaContext<C>);
}

impl<C, Part> fmt::Debug for BaseProducer<C, Part>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BaseProducer").finish_non_exhaustive()
    }
}
