//! From the call to the head of its response.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use instana::Span;
use pin_project_lite::pin_project;

use super::TracedBody;
use crate::head::Head;
use crate::record::record_head;
use crate::record_failure;

pin_project! {
    /// The future of a call, polled inside its exit, which ends with the head of the
    /// response, or with the body where a gRPC call has its status behind that.
    ///
    /// If it is dropped before that, the exit has the error "cancelled after N ms".
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // Emptied with the head, so that what is dropped early is dropped inside
        // the span.
        #[pin]
        inner: Option<F>,
        span: Span,
        is_begun: bool,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                this.span.enter(|| this.inner.set(None));
                this.span.cancelled_early();
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    /// For a call that was made inside of `span`.
    pub fn new(inner: F, span: Span) -> Self {
        Self {
            inner: Some(inner),
            span: span.or_suppressed(),
            is_begun: false,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: fmt::Display + fmt::Debug + 'static,
{
    type Output = Result<Response<TracedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Polled again after its end, it has nothing more to say.
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        // Taken out, so that a panic ends the span.
        let mut span = mem::replace(this.span, Span::none());
        if !mem::replace(this.is_begun, true) {
            span.begin();
        }
        let Poll::Ready(result) = span.enter_poll(cx, |cx| inner.poll(cx)) else {
            *this.span = span;
            return Poll::Pending;
        };
        this.inner.set(None);
        Poll::Ready(match result {
            Ok(response) => Ok(answered(span, response)),
            Err(error) => {
                record_failure(&mut span, &error);
                Err(error)
            }
        })
    }
}

fn answered<B: Body>(mut span: Span, response: Response<B>) -> Response<TracedBody<B>> {
    let mut lacks_status = false;
    if span.is_recording() {
        let (status, headers) = (response.status(), response.headers());
        let content = Head::of(headers).content();
        lacks_status = record_head(&mut span, status, headers, content);
    }
    let open = lacks_status.then_some(span);
    response.map(|body| TracedBody::new(body, open))
}
