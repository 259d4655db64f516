//! The command line: `traced-kafka --brokers addresses [--from topic --group name]
//! [--to topic]`.

use lexopt::prelude::*;
use rdkafka::ClientConfig;

#[derive(Default)]
pub(crate) struct Options {
    brokers: String,
    /// What is consumed.
    pub(crate) from: Option<String>,
    group: String,
    /// Where records are sent to, and passed on to.
    pub(crate) to: Option<String>,
}

impl Options {
    pub(crate) fn parse() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        let mut options = Self::default();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("brokers") => options.brokers = parser.value()?.string()?,
                Long("from") => options.from = Some(parser.value()?.string()?),
                Long("group") => options.group = parser.value()?.string()?,
                Long("to") => options.to = Some(parser.value()?.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(options)
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", &self.group)
            .set("auto.offset.reset", "earliest")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "300")
            .set("linger.ms", "0");
        config
    }
}
