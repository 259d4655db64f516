//! What comes in for an open span from other threads and tasks.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::record::registry::FAMILIES;
use crate::record::{Family, error_text, fields};
use crate::trace::context::block;

/// Where handles leave what the span takes along at its end. It exists only for
/// spans that were asked for a handle.
#[derive(Debug)]
pub(crate) struct Inbox {
    family: AtomicU16,
    /// The generation in which the span was opened.
    generation: u32,
    pub(crate) letters: Mutex<Pending>,
}

#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) open: bool,
    pub(crate) attributes: Vec<u8>,
    /// The error that was recorded: it counts unless the span has one of its own.
    pub(crate) error: Vec<u8>,
    pub(crate) errors: u16,
}

impl Inbox {
    pub(crate) fn new(family: u16) -> Self {
        Self {
            family: AtomicU16::new(family),
            generation: block::generation(),
            letters: Mutex::new(Pending {
                open: true,
                error: Vec::new(),
                attributes: Vec::new(),
                errors: 0,
            }),
        }
    }

    /// False in a forked child, where its lock may be held for ever by a thread
    /// that is not there.
    pub(crate) fn is_here(&self) -> bool {
        self.generation == block::generation()
    }

    pub(crate) fn family(&self) -> Option<&'static Family> {
        FAMILIES.get(self.family.load(Ordering::Relaxed))
    }

    /// The span has another family from now on.
    pub(crate) fn rename(&self, family: u16) {
        self.family.store(family, Ordering::Relaxed);
    }

    /// Moves what came in to the span that ends; returns the number of errors.
    pub(crate) fn close(&self, attributes: &mut Vec<u8>) -> u16 {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.open = false;
        let family = self.family();
        if family.is_some_and(|family| !error_text::has_error(family, attributes)) {
            fields::append(attributes, &std::mem::take(&mut letters.error));
        }
        fields::append(attributes, &std::mem::take(&mut letters.attributes));
        letters.errors
    }
}
