//! As `sync.rs`, of loom's types.

pub(super) use loom::sync::atomic::{AtomicU32, Ordering};
pub(super) use loom::sync::{Arc, Mutex, MutexGuard};
pub(super) use std::sync::PoisonError;

use std::ops::Range;

use loom::cell::UnsafeCell;

/// All orders of a few spans are tried: two fill a segment.
pub(super) const SEGMENT: usize = 2 * FIRST;

/// One span with a word of attributes.
pub(super) const FIRST: usize = 56;

/// Watches which words of a segment are touched, and fails where two threads do
/// so without an order between them.
#[derive(Debug)]
pub(super) struct Watch(Vec<UnsafeCell<()>>);

impl Watch {
    pub(super) fn new(words: usize) -> Self {
        Self((0..words).map(|_| UnsafeCell::new(())).collect())
    }

    #[track_caller]
    pub(super) fn read(&self, words: Range<usize>) {
        for word in self.0.get(words).unwrap_or_default() {
            word.with(|_| ());
        }
    }

    #[track_caller]
    pub(super) fn written(&self, words: Range<usize>) {
        for word in self.0.get(words).unwrap_or_default() {
            word.with_mut(|_| ());
        }
    }
}
