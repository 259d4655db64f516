//! From the head of the response to its end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use instana::Span;
use pin_project_lite::pin_project;

use crate::record::is_http;
use crate::record_failure;

pin_project! {
    /// The body of a response, polled inside the entry of its request, which
    /// ends with it. Frames pass as they come; nothing is buffered.
    ///
    /// Dropped before its end, the entry is an error: "response body dropped
    /// after N ms, M bytes sent". (A GraphQL operation that took it over has errors
    /// of its own; its subscriptions end in no other way.)
    pub struct TracedBody<B> {
        // Empty only while it is dropped.
        #[pin]
        inner: Option<B>,
        open: Option<Open>,
    }

    impl<B> PinnedDrop for TracedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(mut open) = this.open.take() {
                open.span.enter(|| this.inner.set(None));
                open.given_up();
            }
        }
    }
}

/// The entry while the body is under way.
#[derive(Debug)]
struct Open {
    span: Span,
    sent: u64,
    /// The length that was announced: with these bytes it is complete.
    declared: Option<u64>,
    /// There is more to come: it is an error to stop now.
    due: bool,
}

impl<B> TracedBody<B> {
    pub(super) fn untraced(inner: B) -> Self {
        Self {
            inner: Some(inner),
            open: None,
        }
    }
}

impl<B: Body> TracedBody<B> {
    /// The span of an empty body ends here.
    pub(super) fn new(inner: B, span: Span, due: bool, declared: Option<u64>) -> Self {
        let open = (!inner.is_end_stream()).then_some(Open {
            span,
            sent: 0,
            declared,
            due: due && declared != Some(0),
        });
        Self {
            inner: Some(inner),
            open,
        }
    }
}

impl<B> Body for TracedBody<B>
where
    B: Body,
    B::Error: fmt::Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(mut inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(None);
        };
        // Taken out, so that a panic ends the span.
        let Some(mut open) = this.open.take() else {
            return inner.poll_frame(cx);
        };
        let polled = open.span.enter_poll(cx, |cx| inner.as_mut().poll_frame(cx));
        match &polled {
            Poll::Pending => *this.open = Some(open),
            Poll::Ready(Some(Ok(frame))) => {
                open.sent += frame.data_ref().map_or(0, |data| data.remaining() as u64);
                if !inner.is_end_stream() {
                    open.due &= !frame.is_trailers() && Some(open.sent) != open.declared;
                    *this.open = Some(open);
                }
            }
            Poll::Ready(Some(Err(error))) => record_failure(&mut open.span, error),
            Poll::Ready(None) => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// A body of nobody's request, which layers around this one answer with.
impl<B: Default> Default for TracedBody<B> {
    fn default() -> Self {
        Self::untraced(B::default())
    }
}

impl<B> fmt::Debug for TracedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedBody")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl Open {
    fn given_up(&mut self) {
        if self.due && is_http(&self.span) {
            let (millis, sent) = (self.span.elapsed_millis(), self.sent);
            self.span.error(&format!(
                "response body dropped after {millis} ms, {sent} bytes sent"
            ));
        }
    }
}
