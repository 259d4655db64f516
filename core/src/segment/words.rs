//! The memory of one segment: written by one thread, read by another up to the
//! length that was published.
#![expect(
    unsafe_code,
    reason = "a reader follows a writer in the same memory without a lock; safe code would copy word by word \
              through atomics, at about 250 instructions more a request of four spans"
)]

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::SEGMENT;
use crate::record::{HEAD, Head};

/// A segment as its readers see it: the published part never changes while
/// anyone holds the `Arc`.
#[derive(Debug)]
pub(crate) struct Segment {
    words: Box<[UnsafeCell<u64>]>,
    /// What is whole and may be read: only [`Filler`] stores it.
    published: AtomicU32,
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
// by the one `Filler` alone, which publishes with a release store what readers
// load with acquire. A second `Filler`, or a reset, needs the only `Arc`.
unsafe impl Sync for Segment {}

impl Segment {
    /// How far it is filled.
    pub(crate) fn filled(&self) -> Mark {
        Mark(self.published.load(Ordering::Acquire))
    }

    /// The records published beyond `from`.
    pub(crate) fn published(&self, from: Mark) -> &[u8] {
        let Some(words) = self.filled().words().checked_sub(from.words()) else {
            return &[];
        };
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
pub(crate) struct Filler {
    segment: Arc<Segment>,
    at: Mark,
}

impl Filler {
    /// A new, empty segment.
    pub(crate) fn allocate() -> Self {
        let words = (0..SEGMENT / 8).map(|_| UnsafeCell::new(0)).collect();
        Self {
            segment: Arc::new(Segment {
                words,
                published: AtomicU32::new(0),
            }),
            at: Mark::default(),
        }
    }

    /// Empties a segment for use; `None` while somebody else still has it.
    pub(crate) fn reuse(mut segment: Arc<Segment>) -> Option<Self> {
        *Arc::get_mut(&mut segment)?.published.get_mut() = 0;
        Some(Self {
            segment,
            at: Mark::default(),
        })
    }

    /// For readers.
    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// Appends a record; false where it does not fit.
    #[inline]
    pub(crate) fn append(&mut self, head: &Head, attributes: &[u8]) -> bool {
        let words = Head::record_words(attributes.len());
        let at = self.at.words();
        if at + words > SEGMENT / 8 {
            return false;
        }
        // SAFETY: the words from `at` on are within the segment and above
        // `published`, where this `Filler`, being the only one, may write.
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
