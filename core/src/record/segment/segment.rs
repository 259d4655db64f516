//! The memory of one segment: written by one thread, read by another up to the
//! length that was published.
#![expect(
    unsafe_code,
    reason = "a reader follows a writer in the same memory without a lock; safe code would copy word by word \
              through atomics, at about 250 instructions more a request of four spans"
)]

use std::cell::UnsafeCell;

use crate::record::head::{HEAD, Head};
use crate::record::segment::sync::{Arc, AtomicU32, Ordering, SEGMENT, Watch};

/// A segment as its readers see it: the published part never changes while
/// anyone holds the `Arc`.
#[derive(Debug)]
pub(crate) struct Segment {
    words: Box<[UnsafeCell<u64>]>,
    /// What is whole and may be read: only [`SegmentWriter`] stores it.
    published: AtomicU32,
    watch: Watch,
}

/// A place in a segment: behind so many records, which take so many words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(u32);

impl Mark {
    #[inline]
    pub(crate) fn new(words: usize, records: usize) -> Self {
        Self(words as u32 | (records as u32) << 16)
    }

    #[inline]
    pub(crate) fn words(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    #[inline]
    pub(crate) fn records(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// The place behind `other`, counted from here.
    #[inline]
    pub(crate) fn plus(self, other: Self) -> Self {
        // A segment has 4096 words, so neither half overflows.
        Self(self.0.wrapping_add(other.0))
    }
}

// SAFETY: below `published` the words are only read; above it they are touched
// by the one `SegmentWriter` alone, which publishes with a release store what readers
// load with acquire. A second `SegmentWriter`, or a reset, needs the only `Arc`.
unsafe impl Sync for Segment {}

impl Segment {
    /// The memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    /// How far it is filled.
    pub(crate) fn filled(&self) -> Mark {
        Mark(self.published.load(Ordering::Acquire))
    }

    /// The records published beyond `from`.
    pub(crate) fn published(&self, from: Mark) -> &[u8] {
        let end = self.filled().words();
        let Some(words) = end.checked_sub(from.words()) else {
            return &[];
        };
        self.watch.read(from.words()..end);
        // SAFETY: the words behind `from`, up to what was loaded from
        // `published` with acquire, lie within the segment and were written
        // before they were published. Nothing writes there while this borrow
        // of the segment lives.
        unsafe {
            let first = self.words.as_ptr().add(from.words());
            std::slice::from_raw_parts(first.cast::<u8>(), words * 8)
        }
    }
}

/// The one writer of a segment.
#[derive(Debug)]
pub(crate) struct SegmentWriter {
    segment: Arc<Segment>,
    at: Mark,
    /// The segment's slot in its pool.
    pub(super) slot: u32,
}

/// No slot yet.
const NO_SLOT: u32 = u32::MAX;

/// Bytes that are there, or small allocations would end the process, too.
const SMALL: usize = 1024;

impl SegmentWriter {
    /// A new, empty segment of at most [`SEGMENT`] bytes; `None` where there is no memory.
    pub(crate) fn allocate(bytes: usize) -> Option<Self> {
        let len = bytes.min(SEGMENT) / 8;
        let mut words = Vec::new();
        words.try_reserve_exact(len).ok()?;
        words.extend((0..len).map(|_| UnsafeCell::new(0)));
        // `Arc` has no way to say that there is no memory for its few bytes.
        let mut small = Vec::<u8>::new();
        small.try_reserve_exact(SMALL).ok()?;
        drop(small);
        Some(Self {
            segment: Arc::new(Segment {
                words: words.into_boxed_slice(),
                published: AtomicU32::new(0),
                watch: Watch::new(len),
            }),
            at: Mark::default(),
            slot: NO_SLOT,
        })
    }

    /// Empties a segment for use; `None` while somebody else still has it.
    pub(crate) fn reuse(mut segment: Arc<Segment>) -> Option<Self> {
        let empty = Arc::get_mut(&mut segment)?;
        // The only reference: whoever gets the segment next, gets it by a lock.
        empty.published.store(0, Ordering::Relaxed);
        Some(Self {
            segment,
            at: Mark::default(),
            slot: NO_SLOT,
        })
    }

    /// For readers.
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Whether typical spans still fit.
    pub(crate) fn has_room(&self) -> bool {
        self.at.words() < self.segment.words.len() / 4 * 3
    }

    /// Appends a record; false where it does not fit.
    #[inline]
    pub(crate) fn append(&mut self, head: &Head, attributes: &[u8]) -> bool {
        let words = Head::record_words(attributes.len());
        let at = self.at.words();
        if at + words > self.segment.words.len() {
            return false;
        }
        self.segment.watch.written(at..at + words);
        // SAFETY: the words from `at` on are within the segment and above
        // `published`, where this `SegmentWriter`, being the only one, may write.
        unsafe {
            let to = self.segment.words.as_ptr().add(at).cast::<u64>().cast_mut();
            to.cast::<[u64; HEAD / 8]>()
                .write(head.to_words(attributes.len()));
            if !attributes.is_empty() {
                to.add(HEAD / 8)
                    .cast::<u8>()
                    .copy_from_nonoverlapping(attributes.as_ptr(), attributes.len());
            }
        }
        self.at = self.at.plus(Mark::new(words, 1));
        self.segment.published.store(self.at.0, Ordering::Release);
        true
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::thread;

    use super::*;
    use crate::record::head::{Record, Traits};

    /// No lock and no other synchronization: what the sanitizers look at.
    #[test]
    fn readers_follow_the_writer() {
        let rounds = if cfg!(miri) { 2 } else { 200 };
        let mut writer = SegmentWriter::allocate(SEGMENT).unwrap();
        for _ in 0..rounds {
            let readers: Vec<_> = (0..3)
                .map(|_| {
                    let segment = writer.segment().clone();
                    thread::spawn(move || follow(&segment))
                })
                .collect();
            let mut span = 0;
            while writer.append(&head(span), &vec![span as u8; span as usize % 90]) {
                span += 1;
            }
            assert!(!writer.append(&head(u64::MAX), &[0; SEGMENT / 2]));
            assert!(writer.append(&head(u64::MAX), &[]), "room for the last one");
            for reader in readers {
                assert_eq!(reader.join().unwrap(), span);
            }
            let segment = writer.segment().clone();
            drop(writer);
            writer = SegmentWriter::reuse(segment).unwrap();
        }
    }

    fn head(span: u64) -> Head {
        Head {
            trace: span,
            span,
            parent: span,
            start: span,
            end: span,
            traits: Traits::new(1, 0),
        }
    }

    /// Reads until the last record; returns how many there were before it.
    fn follow(segment: &Segment) -> u64 {
        let mut mark = Mark::default();
        let mut expected = 0;
        loop {
            let bytes = segment.published(mark);
            let mut rest = bytes;
            while let Some((record, tail)) = Record::split(rest) {
                rest = tail;
                mark = mark.plus(Mark::new(0, 1));
                if record.head.span == u64::MAX {
                    return expected;
                }
                assert_eq!(record.head, head(expected));
                assert_eq!(record.attributes.len(), expected as usize % 90);
                let is_own = |byte: &u8| *byte == expected as u8;
                assert!(record.attributes.iter().all(is_own));
                expected += 1;
            }
            assert!(rest.is_empty());
            mark = mark.plus(Mark::new(bytes.len() / 8, 0));
            thread::yield_now();
        }
    }
}
