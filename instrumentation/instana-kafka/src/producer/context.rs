//! The context of producers that report deliveries by a callback.

use std::error::Error;

use instana::{Context, Span};
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DefaultProducerContext, DeliveryResult, Partitioner, ProducerContext};
use rdkafka::{ClientContext, Statistics};

use super::transaction::record_undelivered;

/// A [`ProducerContext`] around the user's: a record's span ends when the record is
/// delivered, or its delivery has failed.
///
/// [`BaseProducer`](crate::BaseProducer) and
/// [`ThreadedProducer`](crate::ThreadedProducer) put it around the context that they are
/// created with. Its methods call the inner context, whose `delivery` runs in the context
/// of the code that sent the record: records that are sent from there belong to the same
/// trace.
#[derive(Clone, Debug, Default)]
pub struct InstanaContext<C = DefaultProducerContext> {
    inner: C,
}

impl<C> InstanaContext<C> {
    /// Wraps a context.
    pub fn new(inner: C) -> Self {
        Self { inner }
    }

    /// The wrapped context.
    pub fn inner(&self) -> &C {
        &self.inner
    }

    /// Takes the context out.
    pub fn into_inner(self) -> C {
        self.inner
    }
}

impl<C> From<C> for InstanaContext<C> {
    fn from(inner: C) -> Self {
        Self { inner }
    }
}

impl<C: ClientContext> ClientContext for InstanaContext<C> {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = C::ENABLE_REFRESH_OAUTH_TOKEN;

    fn log(&self, level: RDKafkaLogLevel, fac: &str, log_message: &str) {
        self.inner.log(level, fac, log_message);
    }

    fn stats(&self, statistics: Statistics) {
        self.inner.stats(statistics);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.inner.stats_raw(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.inner.error(error, reason);
    }

    fn generate_oauth_token(
        &self,
        oauthbearer_config: Option<&str>,
    ) -> Result<OAuthToken, Box<dyn Error>> {
        self.inner.generate_oauth_token(oauthbearer_config)
    }
}

impl<C, Part> ProducerContext<Part> for InstanaContext<C>
where
    C: ProducerContext<Part>,
    Part: Partitioner,
{
    type DeliveryOpaque = Box<Tracked<C::DeliveryOpaque>>;

    fn delivery(&self, result: &DeliveryResult<'_>, tracked: Self::DeliveryOpaque) {
        let (context, opaque) = tracked.delivered(result);
        context.enter(|| self.inner.delivery(result, opaque));
    }

    fn get_custom_partitioner(&self) -> Option<&Part> {
        self.inner.get_custom_partitioner()
    }
}

/// A record on its way: its span, and the user's
/// [`DeliveryOpaque`](ProducerContext::DeliveryOpaque).
#[derive(Debug)]
pub struct Tracked<D> {
    span: Span,
    is_in_transaction: bool,
    /// Of the code that sent the record.
    context: Context,
    opaque: D,
}

impl<D> Tracked<D> {
    pub(super) fn new(span: Span, is_in_transaction: bool, opaque: D) -> Self {
        Self {
            span,
            is_in_transaction,
            context: Context::current(),
            opaque,
        }
    }

    /// Ends the span of a record that was not taken.
    pub(super) fn failed(mut self, error: &KafkaError) -> D {
        self.span.record_error(error);
        self.opaque
    }

    /// Ends the span.
    fn delivered(mut self, result: &DeliveryResult<'_>) -> (Context, D) {
        if let Err((error, _)) = result {
            record_undelivered(&mut self.span, error, self.is_in_transaction);
        }
        self.span.end();
        (self.context, self.opaque)
    }
}
