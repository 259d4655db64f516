//! A thread's hand on its segment.

use super::pool::Pool;
use super::words::Filler;
use crate::record::Head;

#[derive(Debug)]
pub(crate) struct Writer {
    filler: Option<Filler>,
    /// The pool's epoch in which the segment was taken: after a fork or a
    /// restart of the tracer it is another, and the segment is not ours.
    epoch: u32,
    /// Where the segment goes when the thread ends.
    pool: Option<&'static Pool>,
}

impl Writer {
    pub(crate) const fn new() -> Self {
        Self {
            filler: None,
            epoch: 0,
            pool: None,
        }
    }

    /// Records a span in this thread's segment.
    #[inline]
    pub(crate) fn record(&mut self, pool: &'static Pool, head: &Head, attributes: &[u8]) {
        if self.epoch == pool.epoch() {
            if let Some(filler) = &mut self.filler {
                if filler.append(head, attributes) {
                    return;
                }
            }
        }
        self.record_in_next(pool, head, attributes);
    }

    /// The first record of a segment. A thread for which there is none writes
    /// to the shared one.
    #[cold]
    fn record_in_next(&mut self, pool: &'static Pool, head: &Head, attributes: &[u8]) {
        let full = self.filler.take().filter(|_| self.epoch == pool.epoch());
        let words = Head::record_words(attributes.len());
        (self.epoch, self.filler) = pool.next(full, words);
        self.pool = Some(pool);
        let written = self
            .filler
            .as_mut()
            .is_some_and(|filler| filler.append(head, attributes));
        if !written {
            pool.record_shared(head, attributes);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let (Some(pool), Some(filler)) = (self.pool, self.filler.take()) {
            if self.epoch == pool.epoch() {
                pool.adopt(filler);
            }
        }
    }
}
