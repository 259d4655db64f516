//! A worker, which handles orders.

use std::time::Duration;

use instana::FutureExt;
use instana_kafka::MessageExt;
use rdkafka::ClientContext;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance, StreamConsumer};
use rdkafka::message::BorrowedMessage;
use tokio::io::{AsyncReadExt, stdin};

use crate::{Outcome, config, say};

pub(crate) async fn run(brokers: &str, topic: &str) -> Outcome<()> {
    let consumer: StreamConsumer<Partitions> = config(brokers).create_with_context(Partitions)?;
    consumer.subscribe(&[topic])?;
    let work = async {
        loop {
            match consumer.recv().await {
                Ok(message) => message.in_entry_span(handle(&message)).await,
                Err(error) => eprintln!("worker: {error}"),
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = closed() => {}
    }
    Ok(())
}

async fn handle(message: &BorrowedMessage<'_>) {
    let goods = message.payload().map(String::from_utf8_lossy);
    instana::current(|entry| entry.tag("goods", goods.as_deref().unwrap_or("nothing")));
    let pack = tokio::time::sleep(Duration::from_millis(20));
    pack.in_span(instana::span("pack")).await;
}

/// Prints how many partitions this worker has.
struct Partitions;

impl ClientContext for Partitions {}

impl ConsumerContext for Partitions {
    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let told = say(&partitions.count().to_string());
            if let Err(error) = told {
                eprintln!("worker: {error}");
            }
        }
    }
}

/// Until the standard input is closed.
async fn closed() -> Outcome<()> {
    let mut nothing = Vec::new();
    stdin().read_to_end(&mut nothing).await?;
    Ok(())
}
