//! The common methods of producers.

/// The methods of [`Producer`](rdkafka::producer::Producer), as the wrapped
/// producer has them.
macro_rules! forward_producer {
    ($context:ty) => {
        fn client(&self) -> &Client<$context> {
            self.inner.client()
        }

        fn in_flight_count(&self) -> i32 {
            self.inner.in_flight_count()
        }

        fn flush<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            self.inner.flush(timeout)
        }

        fn purge(&self, flags: PurgeConfig) {
            self.inner.purge(flags);
        }

        fn init_transactions<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            self.inner.init_transactions(timeout)
        }

        fn begin_transaction(&self) -> KafkaResult<()> {
            let result = self.inner.begin_transaction();
            self.transaction.began(&result);
            result
        }

        fn send_offsets_to_transaction<T: Into<Timeout>>(
            &self,
            offsets: &TopicPartitionList,
            group: &ConsumerGroupMetadata,
            timeout: T,
        ) -> KafkaResult<()> {
            self.inner
                .send_offsets_to_transaction(offsets, group, timeout)
        }

        fn commit_transaction<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            let result = self.inner.commit_transaction(timeout);
            self.transaction.ended(&result);
            result
        }

        fn abort_transaction<T: Into<Timeout>>(&self, timeout: T) -> KafkaResult<()> {
            let result = self.inner.abort_transaction(timeout);
            self.transaction.ended(&result);
            result
        }
    };
}

/// What [`BaseProducer`](super::BaseProducer) and
/// [`ThreadedProducer`](super::ThreadedProducer) have in common, whose contexts have
/// different bounds.
macro_rules! callback_producer {
    ($name:ident, C: $($bounds:tt)+) => {
        impl<C, Part> $name<C, Part>
        where
            C: $($bounds)+,
            Part: Partitioner,
        {
            #[doc = concat!(" As [`rdkafka::producer::", stringify!($name), "::send`], inside an")]
            /// exit of the current context. A refused record is returned unchanged.
            ///
            /// # Errors
            /// As rdkafka's.
            #[expect(clippy::result_large_err, reason = "rdkafka's type")]
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

            /// The wrapped producer.
            pub fn inner(&self) -> &Inner<InstanaContext<C>, Part> {
                &self.inner
            }

            /// Takes the producer out.
            pub fn into_inner(self) -> Inner<InstanaContext<C>, Part> {
                self.inner
            }
        }

        impl<C, Part> From<Inner<InstanaContext<C>, Part>> for $name<C, Part>
        where
            C: $($bounds)+,
            Part: Partitioner,
        {
            fn from(inner: Inner<InstanaContext<C>, Part>) -> Self {
                Self {
                    inner,
                    transaction: Transaction::default(),
                }
            }
        }

        impl<C, Part> Producer<InstanaContext<C>, Part> for $name<C, Part>
        where
            C: $($bounds)+,
            Part: Partitioner,
        {
            $crate::producer::forward::forward_producer!(InstanaContext<C>);
        }

        impl<C, Part> fmt::Debug for $name<C, Part>
        where
            C: $($bounds)+,
            Part: Partitioner,
        {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

pub(super) use callback_producer;
pub(super) use forward_producer;
