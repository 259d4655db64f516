//! From the request to the head of the response.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Response, StatusCode};
use http_body::Body;
use instana::Span;
use instana::span::http::Http;
use pin_project_lite::pin_project;

use super::TracedBody;
use crate::{add_server_timing, record_failure, record_response};

pin_project! {
    /// The future of a response, polled inside the entry of its request.
    ///
    /// Dropped before the head of the response is there, the entry is an error:
    /// "cancelled after N ms".
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // Emptied with the head, so that what is dropped early is dropped inside
        // the span.
        #[pin]
        inner: Option<F>,
        span: Span,
        request: Asked,
        server_timing: bool,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                this.span.enter(|| this.inner.set(None));
                this.span.cancel();
            }
        }
    }
}

/// What the request says about the response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Connect,
    Head,
    Other,
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, span: Span, request: Asked, server_timing: bool) -> Self {
        Self {
            inner: Some(inner),
            span,
            request,
            server_timing,
        }
    }

    pub(super) fn untraced(inner: F) -> Self {
        Self {
            inner: Some(inner),
            span: Span::none(),
            request: Asked::Other,
            server_timing: false,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: fmt::Display + 'static,
{
    type Output = Result<Response<TracedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut guarded = Guarded::new(std::mem::replace(this.span, Span::none()));
        let polled = guarded.enter_poll(cx, |cx| {
            // Polled again after its end, it has nothing more to say.
            let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                return Poll::Pending;
            };
            let polled = inner.poll(cx);
            if polled.is_ready() {
                this.inner.set(None);
            }
            polled
        });
        let mut span = guarded.release();
        match polled {
            Poll::Pending => {
                *this.span = span;
                Poll::Pending
            }
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(this.request.answered(
                span,
                response,
                *this.server_timing,
            ))),
            Poll::Ready(Err(error)) => {
                record_failure(&mut span, &error);
                Poll::Ready(Err(error))
            }
        }
    }
}

impl Asked {
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::CONNECT => Self::Connect,
            Method::HEAD => Self::Head,
            _ => Self::Other,
        }
    }

    /// The head is there: the span goes on with the body, if there is one.
    fn answered<B: Body>(
        self,
        mut span: Span,
        mut response: Response<B>,
        server_timing: bool,
    ) -> Response<TracedBody<B>> {
        if span.is_recording() {
            record_response(&mut span, response.status(), response.headers());
            if server_timing {
                add_server_timing(&span, response.headers_mut());
            }
        }
        let status = response.status();
        if self.switches_protocols(status) {
            return response.map(TracedBody::untraced);
        }
        let due = self.is_body_due(status);
        let declared = due.then(|| declared_length(&response)).flatten();
        response.map(|body| TracedBody::new(body, span, due, declared))
    }

    /// What follows is no body of HTTP.
    fn switches_protocols(self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS || (self == Self::Connect && status.is_success())
    }

    fn is_body_due(self, status: StatusCode) -> bool {
        self != Self::Head
            && !status.is_informational()
            && status != StatusCode::NO_CONTENT
            && status != StatusCode::NOT_MODIFIED
    }
}

/// Bytes after which a server need not ask the body for more.
fn declared_length<B: Body>(response: &Response<B>) -> Option<u64> {
    response.body().size_hint().exact().or_else(|| {
        let length = response.headers().get(http::header::CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    })
}

/// A span around the application's code: a panic ends it with status 500.
pub(super) struct Guarded {
    span: Span,
    released: bool,
}

impl Guarded {
    pub(super) fn new(span: Span) -> Self {
        Self {
            span,
            released: false,
        }
    }

    pub(super) fn enter<T>(&mut self, f: impl FnOnce() -> T) -> T {
        self.span.enter(f)
    }

    fn enter_poll<T>(&mut self, cx: &mut Context<'_>, f: impl FnOnce(&mut Context<'_>) -> T) -> T {
        self.span.enter_poll(cx, f)
    }

    pub(super) fn release(mut self) -> Span {
        self.released = true;
        std::mem::replace(&mut self.span, Span::none())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if !self.released {
            Http::record(&mut self.span, |http| {
                http.status(500);
            });
        }
    }
}
