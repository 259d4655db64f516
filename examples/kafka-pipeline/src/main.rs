//! Orders go through Kafka to two workers of one group, traced by Instana:
//! `cargo run -p kafka-pipeline`.
#![forbid(unsafe_code)]

mod consumer;
mod demo;
mod environment;
mod producer;

use std::env;
use std::error::Error;
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;

use rdkafka::ClientConfig;
use tokio::runtime::Runtime;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const HELP: &str =
    "kafka-pipeline                            agent, broker, a producer and two consumers
kafka-pipeline producer <brokers> <topic>   sends orders
kafka-pipeline consumer <brokers> <topic>   handles them, until its input is closed

KAFKA_BROKERS  where the first one finds Kafka; not set: librdkafka's own broker, in the process";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        [] => run(demo::run()),
        ["producer", brokers, topic] => traced("shop", producer::run(brokers, topic)),
        ["consumer", brokers, topic] => traced("worker", consumer::run(brokers, topic)),
        _ => say(HELP),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kafka-pipeline: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a service. Its spans are sent before it ends.
fn traced(service: &str, work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    let _guard = instana::builder().service(service).init()?;
    run(work)
}

fn run(work: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    Runtime::new()?.block_on(work)
}

fn config(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("group.id", "workers")
        .set("auto.offset.reset", "earliest")
        .set("session.timeout.ms", "6000");
    config
}

/// Prints lines. A reader that went away is an error, not a panic.
fn say(lines: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{lines}")?;
    Ok(out.flush()?)
}
