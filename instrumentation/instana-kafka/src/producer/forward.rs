//! What producers have in common.

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

pub(super) use forward_producer;
