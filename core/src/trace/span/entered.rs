//! A span while code runs inside it, and what its future tells it.

use std::mem;

use crate::record::flags::Flags;
use crate::trace::context::Context;
use crate::trace::context::local;
use crate::trace::context::polls::Polls;
use crate::trace::span::Span;

/// A span while it is the thread's current one. Dropped without
/// [`leave`](Self::leave) while a panic unwinds.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    span: &'a mut Span,
    entered: bool,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(crate) fn new(span: &'a mut Span) -> Self {
        let entered = span.0.is_some();
        if entered {
            span.exchange();
        }
        Self { span, entered }
    }

    #[inline]
    #[expect(clippy::mem_forget, reason = "what is dropped was left by a panic")]
    pub(crate) fn leave(self) {
        if self.entered {
            self.span.exchange();
        }
        mem::forget(self);
    }
}

impl Drop for Entered<'_> {
    // No more than a call, so that it is inlined where a panic arrives, and a poll
    // keeps no guard in memory.
    #[inline]
    fn drop(&mut self) {
        unwound(self.span, self.entered);
    }
}

#[cold]
#[inline(never)]
fn unwound(span: &mut Span, entered: bool) {
    if entered {
        span.exchange();
    }
    span.error("panicked");
}

/// # For authors of instrumentation: wrappers of what is polled
impl Span {
    /// What this span holds goes into the thread's slot, and what is there into
    /// the span.
    #[inline]
    fn exchange(&mut self) {
        self.0 = local::exchange(self.0.take());
    }

    /// The wrapped work is polled for the first time: the clock of an exit starts anew.
    /// [`FutureExt`](crate::FutureExt) calls it; it is for wrappers of other things that
    /// are polled.
    pub fn begin(&mut self) {
        if self.is_exit() {
            self.restart();
        }
    }

    /// The wrapped work was dropped before it finished: an exit was
    /// [cancelled](Self::cancel). The counterpart of [`begin`](Self::begin).
    pub fn cancelled_early(&mut self) {
        if self.is_exit() {
            self.cancel();
        }
    }

    /// This span, or, where it is a no-op because tracing is suppressed, the
    /// suppression: what it is put around may be polled elsewhere. For wrappers of
    /// what is polled.
    #[inline]
    pub fn or_suppressed(self) -> Self {
        if self.0.is_some() {
            self
        } else {
            Self::suppression()
        }
    }

    /// A carrier of the suppression in force; a no-op where there is none.
    #[cold]
    #[inline(never)]
    fn suppression() -> Self {
        let context = local::with_current(Context::clone).filter(Context::is_suppressed);
        context.map_or(Self::none(), Self::carrier)
    }

    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.0.as_ref().is_some_and(|block| block.is_timed())
    }

    /// Where its polls are timed.
    #[inline]
    pub(crate) fn polls(&mut self) -> Option<&mut Polls> {
        self.0.as_mut()?.rare.as_mut()?.polls.as_deref_mut()
    }

    /// As [`polls`](Self::polls), for who keeps them until the end.
    pub(crate) fn take_polls(&mut self) -> Option<Box<Polls>> {
        self.0.as_mut()?.rare.as_mut()?.polls.take()
    }

    /// Gives back what was [taken](Self::take_polls).
    #[cold]
    pub(crate) fn put_polls(&mut self, polls: Box<Polls>) {
        if let Some(rare) = self.0.as_mut().and_then(|block| block.rare.as_mut()) {
            rare.polls = Some(polls);
        }
    }

    fn is_exit(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|block| block.context.flags.has(Flags::EXIT))
    }
}
