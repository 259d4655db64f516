//! A shop without Kafka has no queue.

use std::convert::Infallible;

use crate::{Outcome, environment};

const HOW: &str =
    "none: KAFKA_BROKERS is set, but Kafka is not built in (cargo run -p shop --features kafka)";

pub(crate) struct Topic(Infallible);

impl Topic {
    pub(crate) async fn create() -> Outcome<Option<Self>> {
        Ok(None)
    }

    pub(crate) fn describe(topic: Option<&Self>) -> Option<&'static str> {
        match topic {
            Some(topic) => match topic.0 {},
            None => environment::brokers().map(|_| HOW),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self.0 {}
    }

    pub(crate) async fn delete(self) -> Outcome<()> {
        match self.0 {}
    }
}

#[derive(Clone)]
pub(crate) struct Orders(Infallible);

impl Orders {
    pub(crate) fn open(_topic: Option<&str>) -> Outcome<Option<Self>> {
        Ok(None)
    }

    pub(crate) async fn place(&self, _id: &str) -> Result<(), String> {
        match self.0 {}
    }
}

pub(crate) async fn work<F: Future<Output = ()>>(
    _topic: Option<&str>,
    _handle: impl Fn(String) -> F,
) -> Outcome<()> {
    Err("this shop is built without Kafka".into())
}
