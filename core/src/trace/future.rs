//! Futures that run inside a span: entered at each poll, never in between.
//!
//! ```
//! use instana::{FutureExt, exit_span, span};
//!
//! async fn price(id: u64) -> u64 {
//!     let load = async move { id * 3 };
//!     load.in_span(exit_span("load the price list")).await
//! }
//!
//! # async fn f() {
//! let order = async { price(14).await }.in_span(span("order"));
//! // A task that is spawned runs elsewhere: it takes the current span's context along.
//! let audit = async { /* … */ }.in_current_span();
//! # order.await; audit.await;
//! # }
//! ```

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::trace::context::Context;
use crate::trace::context::polls::Polls;
use crate::trace::span::{Entered, Span};

/// Puts a future inside a span.
pub trait FutureExt: Future + Sized {
    /// Runs the future inside `span`, which ends with it. An exit's clock
    /// starts at the first poll.
    ///
    /// Dropped before it is done, the future is dropped inside the span; if
    /// that is an exit, it has the error "cancelled after N ms".
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan::new(self, span.or_suppressed(), Ignore)
    }

    /// As [`in_span`](Self::in_span); `done` sees the output before the span ends.
    fn in_span_with<D>(self, span: Span, done: D) -> InSpan<Self, D>
    where
        D: FnOnce(&mut Span, &Self::Output),
    {
        InSpan::new(self, span.or_suppressed(), done)
    }

    /// Runs the future in the context of the code that calls this, wherever it
    /// is polled: what [`instana_tokio::spawn`] does for a task. The span itself
    /// stays where it is, and may end before the future does.
    ///
    /// [`instana_tokio::spawn`]: https://docs.rs/instana-tokio
    fn in_current_span(self) -> InSpan<Self> {
        self.in_context(Context::current())
    }

    /// Runs the future with tracing suppressed: nothing that starts in it is
    /// recorded, and the services it calls do not trace either.
    fn suppress(self) -> InSpan<Self> {
        self.in_context(Context::current().suppressed())
    }

    /// Runs the future in `context`, wherever it is polled.
    fn in_context(self, context: Context) -> InSpan<Self> {
        InSpan::new(self, Span::carrier(context), Ignore)
    }
}

impl<F: Future> FutureExt for F {}

/// Sees the output of an [`InSpan`].
pub trait OnOutput<T> {
    /// Called once, with the open span, when the future is done.
    fn done(self, span: &mut Span, output: &T);
}

/// Takes no notice of the output.
#[derive(Clone, Copy, Debug)]
pub struct Ignore;

impl<T> OnOutput<T> for Ignore {
    #[inline]
    fn done(self, _: &mut Span, _: &T) {}
}

impl<T, D: FnOnce(&mut Span, &T)> OnOutput<T> for D {
    #[inline]
    fn done(self, span: &mut Span, output: &T) {
        self(span, output);
    }
}

pin_project! {
    /// A future inside a span: see [`FutureExt`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct InSpan<F, D = Ignore> {
        span: Span,
        // Emptied by the first poll's result, so that what is dropped early is
        // dropped inside the span.
        #[pin]
        inner: Option<F>,
        done: Option<D>,
        polled: Polled,
        // How its polls go, where they are timed; the span gets it at the end.
        timed: Option<Box<Polls>>,
    }

    impl<F, D> PinnedDrop for InSpan<F, D> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                let entered = Entered::new(this.span);
                this.inner.set(None);
                entered.leave();
                // One that panicked has its error.
                if *this.polled != Polled::Panicked {
                    this.span.cancelled_early();
                }
            }
            if let Some(polls) = this.timed.take() {
                this.span.put_polls(polls);
            }
        }
    }
}

impl<F, D> InSpan<F, D> {
    fn new(inner: F, span: Span, done: D) -> Self {
        Self {
            span,
            inner: Some(inner),
            done: Some(done),
            polled: Polled::Never,
            timed: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polled {
    Before,
    /// And each poll is timed.
    BeforeTimed,
    Never,
    Panicked,
}

impl Polled {
    /// Before a poll that is neither like most nor timed: whether they are timed from
    /// now on.
    #[cold]
    #[inline(never)]
    fn begin(&mut self, span: &mut Span, timed: &mut Option<Box<Polls>>) -> bool {
        if *self == Self::Never {
            span.begin();
        }
        *timed = span.take_polls();
        if timed.is_some() {
            *self = Self::BeforeTimed;
            return true;
        }
        *self = Self::Before;
        false
    }
}

/// Notes that a poll panics.
struct Unwinding<'a> {
    polled: &'a mut Polled,
    is_over: bool,
}

impl Drop for Unwinding<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_over {
            *self.polled = Polled::Panicked;
        }
    }
}

impl<F: Future, D: OnOutput<F::Output>> Future for InSpan<F, D> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Polled again after its end, it has nothing more to say.
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let is_timed = *this.polled != Polled::Before
            && (this.timed.is_some() || this.polled.begin(this.span, this.timed));
        let polled = match this.timed {
            Some(polls) if is_timed => {
                let waker = polls.begin(cx.waker());
                let cx = &mut TaskContext::from_waker(waker);
                let polled = poll(inner, this.span, this.polled, cx);
                polls.end();
                if polled.is_ready() {
                    if let Some(polls) = this.timed.take() {
                        this.span.put_polls(polls);
                    }
                }
                polled
            }
            _ => poll(inner, this.span, this.polled, cx),
        };
        let Poll::Ready(output) = polled else {
            return Poll::Pending;
        };
        this.inner.set(None);
        if let Some(done) = this.done.take() {
            done.done(this.span, &output);
        }
        std::mem::replace(this.span, Span::none()).end();
        Poll::Ready(output)
    }
}

/// Polls `inner` inside `span`.
#[inline(always)]
fn poll<F: Future>(
    inner: Pin<&mut F>,
    span: &mut Span,
    polled: &mut Polled,
    cx: &mut TaskContext<'_>,
) -> Poll<F::Output> {
    let mut unwinding = Unwinding {
        polled,
        is_over: false,
    };
    let entered = Entered::new(span);
    let result = inner.poll(cx);
    entered.leave();
    unwinding.is_over = true;
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;
    use crate::testing::Recorder;
    use std::pin::pin;
    use std::task::Waker;

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut TaskContext::from_waker(Waker::noop()))
    }

    #[test]
    fn a_span_is_current_during_polls_only() {
        let recorder = Recorder::new();
        recorder.enter(|| {
            let entry = crate::entry_span("job");
            let id = entry.context().span_id();
            let seen = std::cell::RefCell::new(Vec::new());
            let mut polls = 0;
            let future = std::future::poll_fn(|_| {
                seen.borrow_mut().push(Context::current().span_id());
                polls += 1;
                if polls == 3 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            });
            let mut future = pin!(future.in_span(entry));
            while poll(future.as_mut()).is_pending() {
                assert_eq!(Context::current().span_id(), None);
            }
            assert_eq!(*seen.borrow(), [id.clone(), id.clone(), id]);
        });
        assert_eq!(recorder.spans().len(), 1);
    }

    #[test]
    fn interleaved_futures_keep_their_own_spans() {
        let recorder = Recorder::new();
        let yields_once = || {
            let mut polled = false;
            std::future::poll_fn(move |_| {
                if std::mem::replace(&mut polled, true) {
                    crate::exit_span("below").end();
                    return Poll::Ready(Context::current().span_id());
                }
                Poll::Pending
            })
        };
        recorder.enter(|| {
            let (a, b) = (crate::entry_span("a"), crate::entry_span("b"));
            let (a_id, b_id) = (a.context().span_id(), b.context().span_id());
            let mut a = pin!(yields_once().in_span(a));
            let mut b = pin!(yields_once().in_span(b));
            assert!(poll(a.as_mut()).is_pending());
            assert!(poll(b.as_mut()).is_pending());
            assert_eq!(poll(a.as_mut()), Poll::Ready(a_id));
            assert_eq!(poll(b.as_mut()), Poll::Ready(b_id));
        });
        let spans = recorder.spans();
        assert_eq!(spans.len(), 4);
        for exit in spans.iter().filter(|span| span.kind() == Kind::Exit) {
            let parent = spans
                .iter()
                .find(|span| span.id() == exit.parent())
                .unwrap();
            assert_eq!(parent.trace(), exit.trace());
        }
    }

    #[test]
    fn a_dropped_exit_says_so_and_is_current_while_its_future_is_dropped() {
        struct OnDrop(std::sync::mpsc::Sender<Option<String>>);
        impl Drop for OnDrop {
            fn drop(&mut self) {
                self.0.send(Context::current().span_id()).unwrap();
            }
        }
        let recorder = Recorder::new();
        let (tx, rx) = std::sync::mpsc::channel();
        recorder.enter(|| {
            crate::entry_span("job").enter(|| {
                let exit = crate::exit_span("call");
                let id = exit.context().span_id();
                let guard = OnDrop(tx);
                let future = async move {
                    let _guard = guard;
                    std::future::pending::<()>().await;
                };
                {
                    let mut future = pin!(future.in_span(exit));
                    assert!(poll(future.as_mut()).is_pending());
                }
                assert_eq!(rx.recv().unwrap(), id);
            });
        });
        let exit = recorder.span("sdk", Kind::Exit);
        assert_eq!(exit.errors(), 1);
        let error = exit.text("data.sdk.custom.tags.error").unwrap();
        assert!(
            error.starts_with("cancelled after ") && error.ends_with(" ms"),
            "{error}"
        );
    }

    #[test]
    fn an_exit_whose_future_panics_was_not_cancelled() {
        let recorder = Recorder::new();
        recorder.enter(|| {
            crate::entry_span("job").enter(|| {
                let exit = crate::exit_span("call");
                let mut future = Box::pin(async { panic!("on purpose") }.in_span(exit));
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let _: Poll<()> = poll(future.as_mut());
                }));
                assert!(result.is_err());
            });
        });
        let exit = recorder.span("sdk", Kind::Exit);
        assert_eq!(
            exit.text("data.sdk.custom.tags.error").as_deref(),
            Some("panicked")
        );
    }

    #[test]
    fn a_panic_marks_the_span_and_goes_on() {
        let recorder = Recorder::new();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            recorder.enter(|| crate::entry_span("job").enter(|| panic!("on purpose")));
        }));
        assert!(result.is_err());
        assert_eq!(
            Context::current().span_id(),
            None,
            "the slot is empty again"
        );
        let entry = recorder.span("sdk", Kind::Entry);
        assert_eq!(entry.errors(), 1);
        assert_eq!(
            entry.text("data.sdk.custom.tags.error").as_deref(),
            Some("panicked")
        );
    }
}
