//! A traced service that sends Kafka records, consumes them, or passes them on.
//! Commands come in a line each on standard input, answers go out a line each on
//! standard output. It ends, flushing, when its input is closed.
#![forbid(unsafe_code)]

mod options;
mod worker;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use instana_kafka::FutureProducer;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::FutureRecord;
use tokio::runtime::Runtime;

use crate::options::Options;
use crate::worker::Worker;

/// How long a record may wait for room in the queue.
const ROOM: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    match Options::parse()
        .map_err(io::Error::other)
        .and_then(|options| run(&options))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traced-kafka: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    let guard = instana::init();
    let runtime = Runtime::new()?;
    // A consumer starts a task of its own.
    let _context = runtime.enter();
    let producer: FutureProducer = options.config().create().map_err(io::Error::other)?;
    let worker = Arc::new(Worker::new(options, producer.clone()));
    if let Some(topic) = options.from.clone() {
        let consumer = worker.clone().consumer(&topic).map_err(io::Error::other)?;
        runtime.spawn(async move { consumer.run().await });
    }
    say("ready")?;
    for line in io::stdin().lines() {
        let answer = match (line?.as_str(), &options.to) {
            // Sends a record below an entry.
            ("send", Some(topic)) => told(runtime.block_on(order(&producer, topic))),
            // The same, and nobody is to trace it.
            ("send-suppressed", Some(topic)) => {
                use instana::FutureExt;
                told(runtime.block_on(order(&producer, topic).suppress()))
            }
            // Records that were handled.
            ("handled", _) => worker.handled().to_string(),
            ("flush 10000", _) => instana::flush(Duration::from_secs(10)).to_string(),
            ("status", _) => instana::status().to_string().replace('\n', " | "),
            (line, _) => format!("unknown: {line}"),
        };
        say(&answer)?;
    }
    drop(guard);
    Ok(())
}

/// An order comes in and is sent on.
async fn order(producer: &FutureProducer, topic: &str) -> Result<(), KafkaError> {
    use instana::FutureExt;
    let header = Header {
        key: "kind",
        value: Some("order"),
    };
    let record = FutureRecord::<str, str>::to(topic)
        .payload("tea")
        .headers(OwnedHeaders::new().insert(header));
    let send = async { producer.send(record, ROOM).await };
    let sent = send.in_span(instana::entry_span("order")).await;
    sent.map(drop).map_err(|(error, _)| error)
}

fn told(result: Result<(), KafkaError>) -> String {
    match result {
        Ok(()) => "sent".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
