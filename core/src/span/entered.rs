//! A span while code runs inside it, and what its future tells it.

use super::Span;
use crate::clock;
use crate::context::Flags;
use crate::local;

/// A span while it is the thread's current one. Dropped without
/// [`leave`](Self::leave) while a panic unwinds.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    span: &'a mut Span,
    entered: bool,
    unwinding: bool,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(crate) fn new(span: &'a mut Span) -> Self {
        let entered = span.0.is_some() && local::swap(&mut span.0);
        Self {
            span,
            entered,
            unwinding: true,
        }
    }

    #[inline]
    pub(crate) fn leave(mut self) {
        self.unwinding = false;
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.entered {
            local::swap(&mut self.span.0);
        }
        if self.unwinding {
            self.span.panicked();
        }
    }
}

impl Span {
    /// The future of this span is polled for the first time.
    pub(crate) fn begin(&mut self) {
        if self.is_exit() {
            self.restart();
        }
    }

    /// The future of this span was dropped before it was done.
    pub(crate) fn given_up(&mut self) {
        if self.is_exit() {
            self.cancel();
        }
    }

    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.0.as_ref().is_some_and(|block| block.is_timed())
    }

    /// A poll that is timed is about to be made.
    #[cold]
    pub(crate) fn poll_begins(&mut self) {
        if let Some(block) = &mut self.0 {
            block.polls.begin(clock::ticks());
        }
    }

    /// It has been made. One that panicked does not count.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll_ends(&mut self) {
        if let Some(block) = &mut self.0 {
            block.polls.end(clock::ticks());
        }
    }

    fn is_exit(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|block| block.context.flags.has(Flags::EXIT))
    }

    #[cold]
    fn panicked(&mut self) {
        self.error("panicked");
    }
}
