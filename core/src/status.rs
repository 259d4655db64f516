//! What the tracer did and could not do, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// Losses inside spans, counted where they happen.
pub(crate) static DROPS: Drops = Drops {
    attributes: AtomicU64::new(0),
    cuts: AtomicU64::new(0),
};

#[derive(Debug)]
pub(crate) struct Drops {
    attributes: AtomicU64,
    cuts: AtomicU64,
}

impl Drops {
    /// An attribute for which its span had no room.
    #[cold]
    pub(crate) fn attribute(&self) {
        self.attributes.fetch_add(1, Ordering::Relaxed);
    }

    /// A text longer than its field's limit.
    #[cold]
    pub(crate) fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::Relaxed);
    }
}
