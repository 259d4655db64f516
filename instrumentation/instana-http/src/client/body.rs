//! From the head of the response to the status of a gRPC call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use instana::Span;
use pin_project_lite::pin_project;

use crate::{grpc, record_failure};

pin_project! {
    /// The body of a response. The body of a gRPC call is polled inside its exit, which
    /// ends with the trailers; any other body is returned unchanged.
    ///
    /// Dropping it before its end is no error.
    pub struct TracedBody<B> {
        // Empty only while it is dropped.
        #[pin]
        inner: Option<B>,
        open: Option<Span>,
    }

    impl<B> PinnedDrop for TracedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(mut span) = this.open.take() {
                span.enter(|| this.inner.set(None));
            }
        }
    }
}

impl<B: Body> TracedBody<B> {
    pub(super) fn new(inner: B, open: Option<Span>) -> Self {
        let mut open = open;
        if inner.is_end_stream() {
            if let Some(mut span) = open.take() {
                grpc::record_missing(&mut span);
            }
        }
        Self {
            inner: Some(inner),
            open,
        }
    }
}

impl<B> Body for TracedBody<B>
where
    B: Body,
    B::Error: fmt::Display + fmt::Debug + 'static,
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
        let Some(mut span) = this.open.take() else {
            return inner.poll_frame(cx);
        };
        let polled = span.enter_poll(cx, |cx| inner.as_mut().poll_frame(cx));
        let has_status = match &polled {
            Poll::Pending => {
                *this.open = Some(span);
                return polled;
            }
            Poll::Ready(Some(Ok(frame))) => match frame.trailers_ref() {
                Some(trailers) => grpc::record(&mut span, trailers),
                None if !inner.is_end_stream() => {
                    *this.open = Some(span);
                    return polled;
                }
                None => false,
            },
            Poll::Ready(Some(Err(error))) => {
                record_failure(&mut span, error);
                true
            }
            Poll::Ready(None) => false,
        };
        if !has_status {
            grpc::record_missing(&mut span);
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

impl<B: Default> Default for TracedBody<B> {
    fn default() -> Self {
        Self {
            inner: Some(B::default()),
            open: None,
        }
    }
}

impl<B> fmt::Debug for TracedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedBody")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}
