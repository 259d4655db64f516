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

    /// Records a span in this thread's segment. False where there is none, or
    /// no room in it.
    #[inline]
    pub(crate) fn record(&mut self, pool: &'static Pool, head: &Head, attributes: &[u8]) -> bool {
        match &mut self.filler {
            Some(filler) if self.epoch == pool.epoch() => filler.append(head, attributes),
            _ => false,
        }
    }

    /// The first record of a segment. A thread for which there is none writes
    /// to the shared one.
    #[cold]
    pub(crate) fn record_in_next(&mut self, pool: &'static Pool, head: &Head, attributes: &[u8]) {
        let full = self.filler.take();
        let words = Head::record_words(attributes.len());
        (self.epoch, self.filler) = pool.next(full, self.epoch, words);
        self.pool = Some(pool);
        let written = self
            .filler
            .as_mut()
            .is_some_and(|filler| filler.append(head, attributes));
        if !written {
            pool.record_shared(head, attributes);
        }
    }

    /// The thread ends: its segment goes to the next one.
    pub(crate) fn retire(&mut self) {
        if let (Some(pool), Some(filler)) = (self.pool, self.filler.take()) {
            pool.adopt(filler, self.epoch);
        }
    }
}
