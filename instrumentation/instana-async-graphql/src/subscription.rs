//! Streams of responses: subscriptions, and other requests that are answered by a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use async_graphql::futures_util::Stream;
use async_graphql::futures_util::stream::BoxStream;
use async_graphql::{Response, ServerError};
use instana::{Context, Span};

use crate::error;
use crate::operation::Shared;

/// The responses of one request, polled in its context. An entry of its own ends
/// when a query is answered and when a subscription waits for its first event:
/// how long that takes says nothing about the server.
pub(crate) struct Updates<'s> {
    // Empty at the end, and while it is dropped.
    inner: Option<BoxStream<'s, Response>>,
    /// Its own entry while that is open.
    entry: Option<Span>,
    /// The context, for polls outside of any.
    carrier: Span,
    shared: Arc<Shared>,
    /// The entry ended, or another's was taken over.
    is_over: bool,
    is_answered: bool,
    /// For good if the poll panicked.
    is_polled: bool,
}

impl<'s> Updates<'s> {
    /// `entry` is the request's entry, if it has one of its own; `context` is the context
    /// of the request's span.
    pub(crate) fn new(
        inner: BoxStream<'s, Response>,
        entry: Span,
        context: Context,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            inner: Some(inner),
            entry: entry.is_recording().then_some(entry),
            carrier: Span::carrier(context),
            shared,
            is_over: false,
            is_answered: false,
            is_polled: false,
        }
    }

    /// Runs `f` in the entry or in its context, with `cx` as it is to be polled.
    fn enter<R>(
        &mut self,
        cx: &mut TaskContext<'_>,
        f: impl FnOnce(&mut Option<BoxStream<'s, Response>>, &mut TaskContext<'_>) -> R,
    ) -> R {
        let inner = &mut self.inner;
        match &mut self.entry {
            Some(entry) => entry.enter_poll(cx, |cx| f(inner, cx)),
            None if is_inside() => f(inner, cx),
            None => self.carrier.enter(|| f(inner, cx)),
        }
    }

    fn end_entry(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.is_over = true;
            entry.end();
        }
    }
}

impl Stream for Updates<'_> {
    type Item = Response;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Response>> {
        let this = self.get_mut();
        this.is_polled = true;
        let polled = this.enter(cx, |inner, cx| match inner {
            None => Poll::Ready(None),
            Some(stream) => {
                let polled = stream.as_mut().poll_next(cx);
                if let Poll::Ready(None) = polled {
                    *inner = None;
                }
                polled
            }
        });
        this.is_polled = false;
        match &polled {
            Poll::Pending => {
                if this.entry.is_some() && this.shared.is_waiting() {
                    this.end_entry();
                }
            }
            Poll::Ready(None) => this.end_entry(),
            Poll::Ready(Some(response)) => {
                this.is_answered = true;
                if this.shared.sent(&response.errors, this.is_over) {
                    this.end_entry();
                }
            }
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner
            .as_ref()
            .map_or((0, Some(0)), |inner| inner.size_hint())
    }
}

impl Drop for Updates<'_> {
    fn drop(&mut self) {
        if self.inner.is_none() {
            return;
        }
        let mut cx = TaskContext::from_waker(Waker::noop());
        self.enter(&mut cx, |inner, _| *inner = None);
        // One that panicked has its error.
        let is_unanswered = !self.is_answered && !self.is_polled;
        if let Some(entry) = self.entry.as_mut().filter(|_| is_unanswered) {
            entry.cancel();
        }
    }
}

/// The code runs in a context that decides: the body of the response is polled in
/// the entry of its request.
fn is_inside() -> bool {
    let context = Context::current();
    context.is_active() || context.is_suppressed()
}

/// An event on its way to the client: an exit that is not entered.
#[derive(Debug)]
pub(crate) struct Update {
    span: Option<Span>,
    origin: Option<Context>,
}

impl Update {
    pub(crate) fn new(span: Span, origin: Option<Context>) -> Self {
        Self {
            span: Some(span),
            origin,
        }
    }

    /// The context that the event brought.
    pub(crate) fn origin(&mut self) -> Option<Context> {
        self.origin.take()
    }

    /// The event is there, with these errors.
    pub(crate) fn sent(mut self, errors: &[ServerError], fields_left_out: u32) {
        let Some(mut span) = self.span.take() else {
            return;
        };
        if span.is_recording() && error::is_failure(errors) {
            span.error(&error::text(errors));
            span.error_count(error::count(errors));
        }
        if fields_left_out > 0 {
            span.tag("fields_left_out", fields_left_out);
        }
    }
}

impl Drop for Update {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            if std::thread::panicking() {
                span.error("panicked");
            } else {
                span.cancelled_early();
            }
        }
    }
}
