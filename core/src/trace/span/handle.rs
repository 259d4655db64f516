//! Attributes from other threads and tasks.

use std::sync::{Arc, PoisonError};

use crate::config::Switches;
use crate::record::error_text;
use crate::record::fields;
use crate::record::fields::{Fields, Recording};
use crate::record::log_entry::LogEntry;
use crate::record::tag::AsTag;
use crate::record::{Family, Section, sdk};
use crate::trace::context::Context;
use crate::trace::context::block::Block;
use crate::trace::context::inbox::{Inbox, Pending};
use crate::trace::span::error::Failure;
use crate::trace::span::stack;

/// A way to an open span for another thread or task: its tags and errors are
/// joined to the span when that ends; what comes later is dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    inbox: Option<Arc<Inbox>>,
    context: Context,
}

impl Handle {
    pub(crate) fn none() -> Self {
        Self {
            inbox: None,
            context: Context::default(),
        }
    }

    pub(crate) fn to(block: &mut Block, family: u16) -> Self {
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

    /// Sets a tag, as [`Span::tag`](crate::trace::span::Span::tag) does.
    pub fn tag(&mut self, name: &str, value: impl AsTag) {
        self.leave(|out, _| Fields::new(out, &sdk::SECTION).tag(name, value.as_tag()));
    }

    /// Notes that something happened, as [`Span::log`](crate::trace::span::Span::log) does.
    pub fn log(&mut self, message: &str) {
        self.log_with(message, |_| ());
    }

    /// As [`log`](Self::log), with fields that `fields` adds.
    pub fn log_with(&mut self, message: &str, fields: impl FnOnce(&mut LogEntry<'_>)) {
        self.leave(|out, _| LogEntry::write(Fields::new(out, &sdk::SECTION), message, fields));
    }

    /// Marks the span as erroneous, as [`Span::error`](crate::trace::span::Span::error) does.
    pub fn error(&mut self, text: &str) {
        self.leave(|out, family| error_text::write_text(family, out, text));
        self.mark_erroneous();
    }

    /// Marks the span as erroneous, as
    /// [`Span::record_error`](crate::trace::span::Span::record_error) does.
    pub fn record_error<'a>(&mut self, error: impl Into<Failure<'a>>) {
        let mut is_known = true;
        self.with_letters(|letters, _| is_known = !letters.error.is_empty());
        if let Some(family) = self.open_family().filter(|_| !is_known) {
            let mut text = Vec::new();
            error.into().write(family, &mut text);
            self.with_letters(|letters, _| {
                if letters.error.is_empty() {
                    letters.error = text;
                }
            });
        }
        self.mark_erroneous();
    }

    /// Marks the span as erroneous without saying why.
    pub fn mark_erroneous(&mut self) {
        self.error_count(1);
    }

    /// Sets the number of errors, as [`Span::error_count`](crate::trace::span::Span::error_count)
    /// does.
    pub fn error_count(&mut self, errors: u16) {
        self.with_letters(|letters, family| {
            let is_first = errors > 0 && letters.errors == 0;
            letters.errors = letters.errors.max(errors);
            if is_first && self.context.switches().has(Switches::ERROR_STACKS) {
                stack::at_error(&self.context, family, &mut letters.attributes);
            }
        });
    }

    /// Leaves attributes that `write` makes without a lock: what it calls may use
    /// handles, too.
    fn leave(&self, write: impl FnOnce(&mut Vec<u8>, &'static Family)) {
        let Some(family) = self.open_family() else {
            return;
        };
        let mut more = Vec::new();
        write(&mut more, family);
        self.with_letters(|letters, _| fields::append(&mut letters.attributes, &more));
    }

    /// The family of the span while that is open.
    fn open_family(&self) -> Option<&'static Family> {
        let mut open = None;
        self.with_letters(|_, family| open = Some(family));
        open
    }

    fn with_letters(&self, f: impl FnOnce(&mut Pending, &'static Family)) {
        let Some(inbox) = self.inbox.as_ref().filter(|inbox| inbox.is_here()) else {
            return;
        };
        let Some(family) = inbox.family() else {
            return;
        };
        let mut letters = inbox.letters.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.open {
            f(&mut letters, family);
        }
    }
}

impl Recording for Handle {
    fn with_fields(&mut self, section: &'static Section, set: impl FnOnce(Fields<'_>)) {
        self.leave(|out, _| set(Fields::new(out, section)));
    }
}
