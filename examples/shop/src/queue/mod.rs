//! The order queue: Kafka, where the shop is built with it.

#[cfg(feature = "kafka")]
mod kafka;
#[cfg(not(feature = "kafka"))]
mod none;

#[cfg(feature = "kafka")]
pub(crate) use kafka::{Orders, Topic, work};
#[cfg(not(feature = "kafka"))]
pub(crate) use none::{Orders, Topic, work};
