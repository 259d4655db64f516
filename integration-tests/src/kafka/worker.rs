//! The consumer: it passes records on, or notes that it has them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use instana_kafka::{FutureProducer, MessageExt};
use rdkafka::Message;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaResult;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::FutureRecord;

use crate::ROOM;
use crate::options::Options;

pub(crate) struct Worker {
    config: rdkafka::ClientConfig,
    producer: FutureProducer,
    to: Option<String>,
    handled: AtomicU64,
}

/// A worker that has a topic.
pub(crate) struct Busy {
    worker: Arc<Worker>,
    consumer: StreamConsumer,
}

impl Worker {
    pub(crate) fn new(options: &Options, producer: FutureProducer) -> Self {
        Self {
            config: options.config(),
            producer,
            to: options.to.clone(),
            handled: AtomicU64::new(0),
        }
    }

    pub(crate) fn handled(&self) -> u64 {
        self.handled.load(Ordering::Acquire)
    }

    pub(crate) fn consumer(self: Arc<Self>, topic: &str) -> KafkaResult<Busy> {
        let consumer: StreamConsumer = self.config.create()?;
        consumer.subscribe(&[topic])?;
        Ok(Busy {
            worker: self,
            consumer,
        })
    }

    async fn handle(&self, message: &BorrowedMessage<'_>) {
        let Some(to) = &self.to else {
            instana::exit_span("store").end();
            return;
        };
        let mut record = FutureRecord::<[u8], [u8]>::to(to);
        record.payload = message.payload();
        // With the headers of the record that came in, as a relay does.
        record.headers = message
            .headers()
            .map(rdkafka::message::BorrowedHeaders::detach);
        if let Err((error, _)) = self.producer.send(record, ROOM).await {
            eprintln!("traced-kafka: not passed on: {error}");
        }
    }
}

impl Busy {
    pub(crate) async fn run(self) {
        loop {
            match self.consumer.recv().await {
                Ok(message) => {
                    message.in_entry_span(self.worker.handle(&message)).await;
                    self.worker.handled.fetch_add(1, Ordering::Release);
                }
                Err(error) => eprintln!("traced-kafka: {error}"),
            }
        }
    }
}
