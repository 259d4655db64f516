//! Spans that only carry a context, and what runs in one.

use crate::record::flags::Flags;
use crate::trace::context::Context;
use crate::trace::context::block::Block;
use crate::trace::span::Span;

/// # For authors of instrumentation: carrying a context
impl Span {
    /// A span that records nothing and carries `context` to where it is entered:
    /// for what is polled or called more than once, as
    /// [`in_context`](crate::FutureExt::in_context) is for futures.
    pub fn carrier(context: Context) -> Self {
        if context.is_empty() {
            return Self(None);
        }
        let flags = context.flags.with(Flags::CARRIED);
        Self(Block::carrier(Context { flags, ..context }))
    }
}

impl Context {
    /// Runs `f` in this context: exits and spans that it starts are children of
    /// its span, which itself stays where it is. For threads and callbacks;
    /// futures have [`in_context`](crate::FutureExt::in_context).
    ///
    /// ```
    /// let context = instana::Context::current();
    /// let thread = std::thread::spawn(move || context.enter(|| 6 * 7));
    /// assert_eq!(thread.join().ok(), Some(42));
    /// ```
    pub fn enter<R>(self, f: impl FnOnce() -> R) -> R {
        Span::carrier(self).enter(f)
    }
}

/// Runs `f` with tracing suppressed: nothing that starts in it is recorded, and
/// the services it calls do not trace either. Only requests that come in to a server are
/// decided by their own headers, there as anywhere. For futures, use
/// [`FutureExt::suppress`](crate::FutureExt::suppress).
///
/// ```
/// let healthy = instana::suppress(|| instana::exit_span("ping").enter(|| true));
/// assert!(healthy);
/// ```
pub fn suppress<R>(f: impl FnOnce() -> R) -> R {
    Context::current().suppressed().enter(f)
}
