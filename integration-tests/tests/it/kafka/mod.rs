//! Kafka: a real broker at `KAFKA_BROKERS`, or librdkafka's own where that says
//! `mock`.

mod cluster;
mod handlers;
mod outage;
mod processes;
mod proxy;
mod rebalance;

use std::time::Duration;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(120);
