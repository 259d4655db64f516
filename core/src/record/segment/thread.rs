//! A thread as the pool sees it, for tests.

use crate::record::head::{Head, Traits};
use crate::record::segment::pool::Pool;
use crate::record::segment::thread_writer::Writer;

/// What is recorded of a span: ids and times of its own.
pub(super) fn head(span: u64) -> Head {
    Head {
        trace: !span,
        span,
        parent: span.rotate_left(32),
        start: span + 2,
        end: span + 3,
        traits: Traits::new(1, 0),
    }
}

#[derive(Debug)]
pub(super) struct Thread(Writer);

impl Thread {
    pub(super) fn new() -> Self {
        Self(Writer::new())
    }

    pub(super) fn record(&mut self, pool: &'static Pool, head: &Head, attributes: &[u8]) {
        if !self.0.record(pool, head, attributes) {
            self.0.record_in_next(pool, head, attributes);
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.retire();
    }
}
