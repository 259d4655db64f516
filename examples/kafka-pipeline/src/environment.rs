//! The variable that says where Kafka is.
#![expect(
    clippy::disallowed_methods,
    reason = "an example's own setting, read here only"
)]

use std::env;

/// `KAFKA_BROKERS`, if it is set.
pub(crate) fn brokers() -> Option<String> {
    env::var("KAFKA_BROKERS")
        .ok()
        .filter(|brokers| !brokers.is_empty())
}
