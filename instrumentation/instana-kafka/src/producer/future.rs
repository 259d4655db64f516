//! The producer whose deliveries are futures.

use std::fmt;
use std::future::Future;
use std::mem;
use std::time::{Duration, Instant};

use instana::Span;
use rdkafka::client::{Client, DefaultClientContext};
use rdkafka::config::{FromClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{OwnedMessage, ToBytes};
use rdkafka::producer::future_producer::{FutureProducerContext, OwnedDeliveryResult};
use rdkafka::producer::{
    FutureProducer as Inner, FutureRecord, NoCustomPartitioner, Partitioner, Producer, PurgeConfig,
};
use rdkafka::util::{AsyncRuntime, DefaultRuntime, Timeout};
use rdkafka::{ClientConfig, ClientContext, Timestamp, TopicPartitionList};

use super::delivery::DeliveryFuture;
use super::forward::forward_producer;
use super::record;
use super::transaction::Transaction;

/// How long rdkafka waits for room in a full queue before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// [`rdkafka::producer::FutureProducer`], whose records are recorded as exits that
/// end at delivery. [`ClientConfig::create`] and
/// [`create_with_context`](ClientConfig::create_with_context) make it, as does
/// `FutureProducer::from`.
#[must_use = "its thread stops when it is dropped"]
pub struct FutureProducer<C = DefaultClientContext, R = DefaultRuntime, Part = NoCustomPartitioner>
where
    C: ClientContext + 'static,
    Part: Partitioner,
{
    inner: Inner<C, R, Part>,
    transaction: Transaction,
}

impl<C, R> FutureProducer<C, R>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
{
    /// As [`rdkafka::producer::FutureProducer::send`], inside an exit of the context of
    /// the code that calls this. The exit's time begins with the first poll, so it
    /// includes the time that the record waits for room in the queue.
    ///
    /// If the future is dropped before the record is in the queue, nothing is sent and
    /// the exit has the error "cancelled after N ms". If it is dropped later, the record
    /// is sent, and the exit ends at its delivery.
    #[track_caller]
    pub fn send<K, P, T>(
        &self,
        mut record: FutureRecord<'_, K, P>,
        queue_timeout: T,
    ) -> impl Future<Output = OwnedDeliveryResult>
    where
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
        T: Into<Timeout>,
    {
        let (span, before) = record::start(record.topic, &mut record.headers);
        let (mut queued, timeout) = (Queued(span), queue_timeout.into());
        async move {
            queued.0.begin();
            let start = Instant::now();
            let may_wait = || match timeout {
                Timeout::Never => true,
                Timeout::After(timeout) => start.elapsed() < timeout,
            };
            let bare = FutureRecord {
                topic: record.topic,
                partition: record.partition,
                payload: record.payload,
                key: record.key,
                timestamp: record.timestamp,
                headers: None,
            };
            let (error, mut returned) = loop {
                match self.inner.send_result(record) {
                    Ok(delivery) => {
                        let is_in_transaction = self.transaction.is_open();
                        let span = queued.take();
                        let delivery =
                            DeliveryFuture::new(delivery, span, is_in_transaction, before);
                        return match delivery.await {
                            Ok(delivered) => delivered,
                            // Not while the producer is borrowed.
                            Err(_) => Err((KafkaError::Canceled, owned(bare))),
                        };
                    }
                    Err((error, returned)) if is_full(&error) && may_wait() => {
                        record = returned;
                        R::delay_for(PAUSE).await;
                    }
                    Err(failed) => break failed,
                }
            };
            before.restore(&mut returned.headers);
            queued.take().record_error(&error);
            Err((error, owned(returned)))
        }
    }

    /// As [`rdkafka::producer::FutureProducer::send_result`], inside an exit of the
    /// current context. A refused record is returned unchanged.
    ///
    /// # Errors
    /// As rdkafka's.
    #[expect(clippy::result_large_err, reason = "rdkafka's type")]
    #[track_caller]
    pub fn send_result<'a, K, P>(
        &self,
        mut record: FutureRecord<'a, K, P>,
    ) -> Result<DeliveryFuture, (KafkaError, FutureRecord<'a, K, P>)>
    where
        K: ToBytes + ?Sized,
        P: ToBytes + ?Sized,
    {
        let (mut span, before) = record::start(record.topic, &mut record.headers);
        match self.inner.send_result(record) {
            Ok(delivery) => {
                let is_in_transaction = self.transaction.is_open();
                Ok(DeliveryFuture::new(
                    delivery,
                    span,
                    is_in_transaction,
                    before,
                ))
            }
            Err((error, mut record)) => {
                span.record_error(&error);
                before.restore(&mut record.headers);
                Err((error, record))
            }
        }
    }

    /// As [`rdkafka::producer::FutureProducer::poll`]: not needed, as its thread
    /// polls.
    pub fn poll<T: Into<Timeout>>(&self, timeout: T) {
        self.inner.poll(timeout);
    }
}

impl<C, R, Part> FutureProducer<C, R, Part>
where
    C: ClientContext + 'static,
    Part: Partitioner,
{
    /// The wrapped producer.
    pub fn inner(&self) -> &Inner<C, R, Part> {
        &self.inner
    }

    /// Takes the producer out.
    pub fn into_inner(self) -> Inner<C, R, Part> {
        self.inner
    }
}

impl<R: AsyncRuntime> FromClientConfig for FutureProducer<DefaultClientContext, R> {
    fn from_config(config: &ClientConfig) -> KafkaResult<Self> {
        Inner::from_config(config).map(Self::from)
    }
}

impl<C, R> FromClientConfigAndContext<C> for FutureProducer<C, R>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
{
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        Inner::from_config_and_context(config, context).map(Self::from)
    }
}

impl<C, R, Part> From<Inner<C, R, Part>> for FutureProducer<C, R, Part>
where
    C: ClientContext + 'static,
    Part: Partitioner,
{
    fn from(inner: Inner<C, R, Part>) -> Self {
        Self {
            inner,
            transaction: Transaction::default(),
        }
    }
}

impl<C: ClientContext + 'static, R> Clone for FutureProducer<C, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            transaction: self.transaction.clone(),
        }
    }
}

impl<C, R, Part> Producer<FutureProducerContext<C>, Part> for FutureProducer<C, R, Part>
where
    C: ClientContext + 'static,
    R: AsyncRuntime,
    Part: Partitioner,
{
    forward_producer!(FutureProducerContext<C>);
}

impl<C, R, Part> fmt::Debug for FutureProducer<C, R, Part>
where
    C: ClientContext + 'static,
    Part: Partitioner,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutureProducer").finish_non_exhaustive()
    }
}

/// The span of a record that is not in the queue yet.
struct Queued(Span);

impl Queued {
    fn take(&mut self) -> Span {
        mem::replace(&mut self.0, Span::none())
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.cancelled_early();
    }
}

fn is_full(error: &KafkaError) -> bool {
    *error == KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)
}

/// The record as rdkafka returns it if it refuses it.
fn owned<K, P>(record: FutureRecord<'_, K, P>) -> OwnedMessage
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
{
    OwnedMessage::new(
        record.payload.map(|payload| payload.to_bytes().to_vec()),
        record.key.map(|key| key.to_bytes().to_vec()),
        record.topic.to_owned(),
        record
            .timestamp
            .map_or(Timestamp::NotAvailable, Timestamp::CreateTime),
        record.partition.unwrap_or(-1),
        0,
        record.headers,
    )
}
