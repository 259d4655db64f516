//! Attributes from other threads and tasks.

use std::sync::{Arc, Mutex, PoisonError};

use super::block::{self, Block};
use super::fields::{self, Fields, Recording, TagValue};
use super::{Section, sdk};
use crate::context::Context;

/// A way to an open span for another thread or task: its tags and errors are
/// joined to the span when that ends; what comes later is dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    inbox: Option<Arc<Inbox>>,
    context: Context,
}

impl Handle {
    pub(super) fn none() -> Self {
        Self {
            inbox: None,
            context: Context::default(),
        }
    }

    pub(super) fn to(block: &mut Block, family: u16) -> Self {
        let rare = block.rare.get_or_insert_default();
        let inbox = rare
            .inbox
            .get_or_insert_with(|| Arc::new(Inbox::new(family)));
        Self {
            inbox: Some(inbox.clone()),
            context: block.context.clone(),
        }
    }

    /// The context of the span.
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Sets a tag, as [`Span::tag`](super::Span::tag) does.
    pub fn tag<'a>(&mut self, name: &str, value: impl Into<TagValue<'a>>) {
        self.with_fields(&sdk::SECTION, |mut fields| fields.tag(name, value.into()));
    }

    /// Marks the span as erroneous, as [`Span::error`](super::Span::error) does.
    pub fn error(&mut self, text: &str) {
        self.with_letters(|letters, family| {
            fields::write_error(family, &mut letters.attributes, text);
            letters.errors = letters.errors.max(1);
        });
    }

    /// Marks the span as erroneous without saying why.
    pub fn mark_erroneous(&mut self) {
        self.with_letters(|letters, _| letters.errors = letters.errors.max(1));
    }

    fn with_letters(&self, f: impl FnOnce(&mut Letters, u16)) {
        let Some(inbox) = self.inbox.as_ref().filter(|inbox| inbox.is_here()) else {
            return;
        };
        let mut letters = inbox.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.open {
            f(&mut letters, inbox.family);
        }
    }
}

impl Recording for Handle {
    fn with_fields(&mut self, section: &'static Section, set: impl FnOnce(Fields<'_>)) {
        self.with_letters(|letters, _| set(Fields::new(&mut letters.attributes, section)));
    }
}

/// Where handles leave what the span takes along at its end. It exists only for
/// spans that were asked for a handle.
#[derive(Debug)]
pub(crate) struct Inbox {
    family: u16,
    /// The generation in which the span was opened.
    generation: u32,
    letters: Mutex<Letters>,
}

#[derive(Debug)]
struct Letters {
    open: bool,
    attributes: Vec<u8>,
    errors: u16,
}

impl Inbox {
    fn new(family: u16) -> Self {
        Self {
            family,
            generation: block::generation(),
            letters: Mutex::new(Letters {
                open: true,
                attributes: Vec::new(),
                errors: 0,
            }),
        }
    }

    /// False in a forked child, where its lock may be held for ever by a thread
    /// that is not there.
    fn is_here(&self) -> bool {
        self.generation == block::generation()
    }

    /// Moves what came in to the span that ends; returns the number of errors.
    pub(crate) fn close(&self, attributes: &mut Vec<u8>) -> u16 {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.open = false;
        fields::append(attributes, &std::mem::take(&mut letters.attributes));
        letters.errors
    }
}
