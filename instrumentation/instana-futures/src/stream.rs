//! Streams that run inside a span: entered at each poll, never in between.

use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use futures_core::{FusedStream, Stream};
use instana::{Context, Span};
use pin_project_lite::pin_project;

/// Puts a stream inside a span.
pub trait StreamExt: Stream + Sized {
    /// Runs the stream inside `span`, which ends with its last item. An exit's
    /// clock starts at the first poll.
    ///
    /// Dropped before its end, the stream is dropped inside the span; if that is
    /// an exit, it has the error "cancelled after N ms".
    fn in_span(self, span: Span) -> InSpan<Self> {
        InSpan::new(self, span.or_suppressed())
    }

    /// Runs the stream in the context of the code that calls this, wherever it
    /// is polled. The span itself stays where it is, and may end before the
    /// stream does.
    fn in_current_span(self) -> InSpan<Self> {
        self.in_context(Context::current())
    }

    /// Runs the stream with tracing suppressed: nothing that starts in it is recorded,
    /// and the suppression is propagated to the services it calls.
    fn suppress(self) -> InSpan<Self> {
        self.in_context(Context::current().suppressed())
    }

    /// Runs the stream in `context`, wherever it is polled.
    fn in_context(self, context: Context) -> InSpan<Self> {
        InSpan::new(self, Span::carrier(context))
    }
}

impl<S: Stream> StreamExt for S {}

pin_project! {
    /// A stream inside a span: see [`StreamExt`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct InSpan<S> {
        span: Span,
        // Emptied at its end, so that what is dropped early is dropped inside
        // the span.
        #[pin]
        inner: Option<S>,
        polled: Polled,
    }

    impl<S> PinnedDrop for InSpan<S> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                this.span.enter(|| this.inner.set(None));
                // One that panicked has its error.
                if *this.polled != Polled::Now {
                    this.span.cancelled_early();
                }
            }
        }
    }
}

impl<S> InSpan<S> {
    fn new(inner: S, span: Span) -> Self {
        Self {
            span,
            inner: Some(inner),
            polled: Polled::Never,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polled {
    Before,
    Never,
    /// For good if the poll panicked.
    Now,
}

impl<S: Stream> Stream for InSpan<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        if *this.polled == Polled::Never {
            this.span.begin();
        }
        *this.polled = Polled::Now;
        let polled = this.span.enter_poll(cx, |cx| inner.poll_next(cx));
        *this.polled = Polled::Before;
        if let Poll::Ready(None) = polled {
            this.span.enter(|| this.inner.set(None));
            std::mem::replace(this.span, Span::none()).end();
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let inner = self.inner.as_ref();
        inner.map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S: Stream> FusedStream for InSpan<S> {
    fn is_terminated(&self) -> bool {
        self.inner.is_none()
    }
}
