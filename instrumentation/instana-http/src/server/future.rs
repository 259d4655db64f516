//! From the request to the head of the response.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Response, StatusCode, Version};
use http_body::Body;
use instana::Span;
use instana::span::http::Http;
use pin_project_lite::pin_project;

use super::TracedBody;
use super::body::Due;
use crate::head::{Content, Head};
use crate::record::{is_http, record_head};
use crate::{add_server_timing, record_failure};

pin_project! {
    /// The future of a response, polled inside the entry of its request.
    ///
    /// If it is dropped before the head of the response, the entry has the error
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

/// What the request says about the response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    method: Asking,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asking {
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
            request: Asked::of(&Method::GET, Version::HTTP_11),
            server_timing: false,
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
    #[inline]
    pub(super) fn of(method: &Method, version: Version) -> Self {
        let method = match *method {
            Method::CONNECT => Asking::Connect,
            Method::HEAD => Asking::Head,
            _ => Asking::Other,
        };
        Self { method, version }
    }

    /// The head is there: the span goes on with the body, if there is one.
    fn answered<B: Body>(
        self,
        mut span: Span,
        mut response: Response<B>,
        server_timing: bool,
    ) -> Response<TracedBody<B>> {
        let status = response.status();
        let mut due = Due::Nothing;
        if span.is_recording() {
            due = self.record(&mut span, &response);
            if server_timing {
                add_server_timing(&span, response.headers_mut());
            }
        }
        if self.switches_protocols(status) || is_nothing(&span) {
            return response.map(TracedBody::untraced);
        }
        response.map(|body| TracedBody::new(body, span, due))
    }

    /// Describes the entry by the head; what the body has to bring.
    fn record<B: Body>(self, span: &mut Span, response: &Response<B>) -> Due {
        let (status, headers) = (response.status(), response.headers());
        let head = Head::of(headers);
        let content = head.content();
        let lacks_status = record_head(span, status, headers, content);
        if !self.is_body_due(status) {
            if status.is_informational() && !self.switches_protocols(status) {
                self.record_unsent(span, status);
            }
            return Due::Nothing;
        }
        match content {
            Content::Grpc if lacks_status => Due::GrpcStatus,
            Content::Other => {
                let length = head
                    .length()
                    .or_else(|| response.body().size_hint().exact());
                length.map_or(Due::Nothing, Due::Bytes)
            }
            _ => Due::Nothing,
        }
    }

    /// An informational status is no final answer: with HTTP/1, hyper sends 500 instead.
    #[cold]
    fn record_unsent(self, span: &mut Span, status: StatusCode) {
        if self.version <= Version::HTTP_11 {
            Http::record(span, |http| {
                http.status(500);
            });
        }
        if is_http(span) {
            let code = status.as_u16();
            span.error(&format!(
                "the handler answered with status {code}, which is no final one"
            ));
        }
    }

    /// What follows is no body of HTTP.
    fn switches_protocols(self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS
            || (self.method == Asking::Connect && status.is_success())
    }

    fn is_body_due(self, status: StatusCode) -> bool {
        self.method != Asking::Head
            && !status.is_informational()
            && status != StatusCode::NO_CONTENT
            && status != StatusCode::NOT_MODIFIED
    }
}

/// Whether a body has no use for the span: there is neither an entry nor a context.
#[inline]
fn is_nothing(span: &Span) -> bool {
    if span.is_recording() {
        return false;
    }
    let context = span.context();
    !context.is_active() && !context.is_suppressed()
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
