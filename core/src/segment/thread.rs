//! A thread as the pool sees it, for tests.

use super::pool::Pool;
use super::writer::Writer;
use crate::record::Head;

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
