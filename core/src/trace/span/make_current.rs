//! The thread's current span for runtimes that call hooks around a poll.

use crate::trace::context::local;
use crate::trace::span::Span;

/// # For authors of instrumentation: hooks of a runtime
impl Span {
    /// Makes this span the current one of the thread, and returns the one that was.
    ///
    /// For hooks of a runtime that are called before and after it polls a task, such
    /// as tokio's, which exist with the same `cfg`. Both have to run on the
    /// same thread, and the second has to put back what the first one got: everything
    /// else on the thread runs inside this span until then. Wherever there is a future
    /// or a closure to wrap, [`in_span`](crate::FutureExt::in_span) and
    /// [`enter`](Self::enter) do it right.
    #[must_use = "it has to be put back"]
    pub fn make_current(mut self) -> Self {
        Self(local::exchange(self.0.take()))
    }
}
