//! From the head of the response to its end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use instana::Span;
use pin_project_lite::pin_project;

use crate::record::is_http;
use crate::{grpc, record_failure};

pin_project! {
    /// The body of a response, polled inside the entry of its request, which
    /// ends with it. Frames pass as they come; nothing is buffered.
    ///
    /// A body that ends before its known length is an error: "response body ended after 3
    /// of 10 bytes"; so is a body that is dropped before its end: "response body dropped
    /// after N ms, 3 of 10 bytes sent". Dropping a body that was never polled is no
    /// error, because a layer replaced it; nor is dropping a stream without a length,
    /// because its client ends it. (A GraphQL operation that took the entry over has
    /// errors of its own.)
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
                open.dropped();
            }
        }
    }
}

/// The entry until the body has ended.
#[derive(Debug)]
struct Open {
    span: Span,
    sent: u64,
    due: Due,
    /// The body was polled for a frame.
    is_asked: bool,
}

/// What has to come before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// So many bytes.
    Bytes(u64),
    /// The status of a gRPC call.
    GrpcStatus,
    Nothing,
}

impl<B> TracedBody<B> {
    pub(super) fn untraced(inner: B) -> Self {
        Self {
            inner: Some(inner),
            open: None,
        }
    }

    /// The body without the entry, where there is none or it has ended.
    #[doc(hidden)]
    pub fn into_untraced(mut self) -> Result<B, Self> {
        match (self.open.is_none(), self.inner.take()) {
            (true, Some(inner)) => Ok(inner),
            (_, inner) => {
                self.inner = inner;
                Err(self)
            }
        }
    }
}

impl<B: Body> TracedBody<B> {
    /// The span of an empty body ends here.
    pub(super) fn new(inner: B, span: Span, due: Due) -> Self {
        let mut open = Open {
            span,
            sent: 0,
            due,
            is_asked: false,
        };
        let is_over = inner.is_end_stream();
        if is_over {
            open.ended();
        }
        Self {
            inner: Some(inner),
            open: (!is_over).then_some(open),
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
        let Some(mut open) = this.open.take() else {
            return inner.poll_frame(cx);
        };
        open.is_asked = true;
        let polled = open.span.enter_poll(cx, |cx| inner.as_mut().poll_frame(cx));
        match &polled {
            Poll::Pending => *this.open = Some(open),
            Poll::Ready(Some(Ok(frame))) => {
                match frame.trailers_ref() {
                    Some(trailers) => open.trailed(trailers),
                    None => open.sent += frame.data_ref().map_or(0, |data| data.remaining() as u64),
                }
                if inner.is_end_stream() {
                    open.ended();
                } else {
                    *this.open = Some(open);
                }
            }
            Poll::Ready(Some(Err(error))) => record_failure(&mut open.span, error),
            Poll::Ready(None) => open.ended(),
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

/// A body without a request, with which layers around this one answer.
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
    /// The bytes that are missing from the announced length.
    #[inline]
    fn missing(&self) -> Option<u64> {
        match self.due {
            Due::Bytes(length) if self.sent < length => Some(length),
            _ => None,
        }
    }

    #[inline]
    fn ended(&mut self) {
        if self.due != Due::Nothing {
            self.ended_with_something_due();
        }
    }

    #[cold]
    fn ended_with_something_due(&mut self) {
        if self.due == Due::GrpcStatus {
            grpc::record_missing(&mut self.span);
        }
        let length = self.missing().filter(|_| is_http(&self.span));
        if let Some(length) = length {
            let sent = self.sent;
            let text = format!("response body ended after {sent} of {length} bytes");
            self.span.error(&text);
        }
    }

    /// Trailers are the end.
    #[cold]
    fn trailed(&mut self, trailers: &HeaderMap) {
        if self.due != Due::GrpcStatus || !grpc::record(&mut self.span, trailers) {
            self.ended();
        }
        self.due = Due::Nothing;
    }

    fn dropped(&mut self) {
        let length = self.missing().filter(|_| self.is_asked);
        if let Some(length) = length.filter(|_| is_http(&self.span)) {
            let (millis, sent) = (self.span.elapsed_millis(), self.sent);
            self.span.error(&format!(
                "response body dropped after {millis} ms, {sent} of {length} bytes sent"
            ));
        }
    }
}
