//! The spans of Kafka.

use instana::Span;
use instana::span::{Family, Kind};

/// Bytes of the names of topics that are kept; one name has at most 249.
pub(crate) const TOPICS: u16 = 1_024;

instana::section! {
    /// `data.kafka`: records that are sent or consumed.
    pub(crate) struct Kafka = "kafka" {
        /// The topic; for a batch, each topic once, separated by commas.
        service: text(TOPICS),
        /// `send` or `consume`.
        access: text(16),
        /// What went wrong.
        error: error(200),
    }
}

pub(crate) static SEND: Family = Family::new("kafka", Kind::Exit, Kafka::SECTION, "messaging");
pub(crate) static CONSUME: Family = Family::new("kafka", Kind::Entry, Kafka::SECTION, "messaging");

/// Names the topic, and lets the rules decide.
pub(crate) fn describe(span: &mut Span, topic: &str, access: &str) {
    if span.is_recording() {
        Kafka::record(span, |kafka| {
            kafka.service(topic).access(access);
        });
        span.decide();
    }
}
