//! The shop, which sends orders.

use std::time::Duration;

use instana::FutureExt;
use instana_kafka::FutureProducer;
use rdkafka::producer::FutureRecord;

use crate::{Outcome, config};

/// What is ordered: goods, and the partition of their worker.
pub(crate) const ORDERS: [(&str, i32); 4] = [("tea", 0), ("milk", 1), ("honey", 0), ("cups", 1)];

pub(crate) async fn run(brokers: &str, topic: &str) -> Outcome<()> {
    let producer: FutureProducer = config(brokers).create()?;
    for (goods, partition) in ORDERS {
        // Where orders come in by HTTP, that is the entry.
        order(&producer, topic, goods, partition)
            .in_span(instana::entry_span("order"))
            .await?;
    }
    Ok(())
}

async fn order(producer: &FutureProducer, topic: &str, goods: &str, partition: i32) -> Outcome<()> {
    let record = FutureRecord::to(topic)
        .partition(partition)
        .key(goods)
        .payload(goods);
    let sent = producer.send(record, Duration::from_secs(10)).await;
    sent.map_err(|(error, _)| error)?;
    Ok(())
}
