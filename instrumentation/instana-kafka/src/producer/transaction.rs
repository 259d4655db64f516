//! Whether a producer is in a transaction, and what its rollback leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use instana::Span;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// The state of the transaction of a producer and its clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Transaction(Arc<AtomicBool>);

impl Transaction {
    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn began(&self, result: &KafkaResult<()>) {
        if result.is_ok() {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn ended(&self, result: &KafkaResult<()>) {
        if result.is_ok() {
            self.0.store(false, Ordering::Relaxed);
        }
    }
}

/// Records that a record was not delivered. If the application rolled its transaction
/// back, that is no error: the span has the tag `rolled_back`.
#[cold]
pub(super) fn record_undelivered(span: &mut Span, error: &KafkaError, is_in_transaction: bool) {
    let is_purged = matches!(
        error,
        KafkaError::MessageProduction(
            RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight
        )
    );
    if is_in_transaction && is_purged {
        span.tag("rolled_back", true);
    } else {
        span.record_error(error);
    }
}
