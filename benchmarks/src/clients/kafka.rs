//! A record into a producer's queue. No broker is there to take it out, and
//! after each burst the queue is thrown away, which is what ends the spans.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{FutureRecord, Producer, PurgeConfig};

use super::Client;

/// How long throwing records away may take; callgrind is 50 times slower.
const PATIENCE: Duration = Duration::from_secs(60);

/// A producer, and the deliveries of a burst.
pub(super) struct Queue<P, D> {
    producer: P,
    deliveries: Vec<D>,
}

type Plain = Queue<rdkafka::producer::FutureProducer, rdkafka::producer::DeliveryFuture>;
type Traced = Queue<instana_kafka::FutureProducer, instana_kafka::DeliveryFuture>;

/// rdkafka by itself.
pub(super) fn plain() -> Result<Plain, String> {
    Ok(Queue {
        producer: config().create().map_err(|error| error.to_string())?,
        deliveries: Vec::new(),
    })
}

/// Traced by us.
pub(super) fn traced() -> Result<Traced, String> {
    Ok(Queue {
        producer: config().create().map_err(|error| error.to_string())?,
        deliveries: Vec::new(),
    })
}

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", "127.0.0.1:1");
    // Seldom does its own thread try again.
    config.set("reconnect.backoff.ms", "600000");
    config.set("reconnect.backoff.max.ms", "600000");
    config
}

macro_rules! client {
    ($($client:ty),+) => {$(
        impl Client for $client {
            async fn call(&mut self) -> Result<(), String> {
                let record = FutureRecord::to("orders").key("7").payload("tea");
                match self.producer.send_result(record) {
                    Ok(delivery) => self.deliveries.push(delivery),
                    Err((error, _)) => return Err(error.to_string()),
                }
                Ok(())
            }

            fn settle(&mut self) -> Result<(), String> {
                let all = PurgeConfig::default().queue().inflight();
                self.producer.purge(all);
                self.producer.flush(PATIENCE).map_err(|error| error.to_string())?;
                self.deliveries.clear();
                Ok(())
            }
        }
    )+};
}

client!(Plain, Traced);
