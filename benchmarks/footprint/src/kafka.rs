//! A record.

use std::error::Error;
use std::time::Duration;

#[cfg(feature = "kafka-traced")]
use instana_kafka::FutureProducer;
use rdkafka::ClientConfig;
#[cfg(not(feature = "kafka-traced"))]
use rdkafka::producer::FutureProducer;
use rdkafka::producer::FutureRecord;

pub(crate) fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let mut config = ClientConfig::new();
            config.set("bootstrap.servers", "127.0.0.1:9");
            let producer: FutureProducer = config.create()?;
            let record = FutureRecord::to("orders").key("3").payload("tea");
            let sent = producer.send(record, Duration::from_secs(1)).await;
            println!("{}", sent.is_ok());
            Ok(())
        })
}
