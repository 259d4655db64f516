//! A thread's hand on its segment.

use crate::record::head::Head;
use crate::record::segment::pool::Pool;
use crate::record::segment::segment::SegmentWriter;

#[derive(Debug)]
pub(crate) struct Writer {
    writer: Option<SegmentWriter>,
    /// The pool's epoch in which the segment was taken: after a fork or a
    /// restart of the tracer it is another, and the segment is not ours.
    epoch: u32,
    /// Where the segment goes when the thread ends.
    pool: Option<&'static Pool>,
}

impl Writer {
    pub(crate) const fn new() -> Self {
        Self {
            writer: None,
            epoch: 0,
            pool: None,
        }
    }

    /// Records a span in this thread's segment. False where there is none, or
    /// no room in it.
    #[inline]
    pub(crate) fn record(&mut self, pool: &'static Pool, head: &Head, attributes: &[u8]) -> bool {
        match &mut self.writer {
            Some(writer) if self.epoch == pool.epoch() => writer.append(head, attributes),
            _ => false,
        }
    }

    /// The first record of a segment. A thread for which there is none writes
    /// to the shared one.
    #[cold]
    pub(crate) fn record_in_next(&mut self, pool: &'static Pool, head: &Head, attributes: &[u8]) {
        let full = self.writer.take();
        let words = Head::record_words(attributes.len());
        (self.epoch, self.writer) = pool.next(full, self.epoch, words);
        self.pool = Some(pool);
        let written = self
            .writer
            .as_mut()
            .is_some_and(|writer| writer.append(head, attributes));
        if !written {
            pool.record_shared(head, attributes);
        }
    }

    /// The thread ends: its segment goes to the next one.
    pub(crate) fn retire(&mut self) {
        if let (Some(pool), Some(writer)) = (self.pool, self.writer.take()) {
            pool.adopt(writer, self.epoch);
        }
    }
}
