//! The way of a record from the producer's queue to its delivery.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use instana::Span;
use instana::span::Failure;
use rdkafka::producer::DeliveryFuture as Inner;

use super::transaction::record_undelivered;
use crate::headers::Before;

type Output = <Inner as Future>::Output;

/// [`rdkafka::producer::DeliveryFuture`]. The record's span ends when the record
/// is delivered or cannot be, also when this is dropped before.
#[must_use = "futures do nothing unless polled"]
pub struct DeliveryFuture(Kind);

enum Kind {
    /// Neither a span nor headers of ours.
    Plain(Inner),
    Tracked(Arc<Delivery>),
}

impl DeliveryFuture {
    pub(super) fn new(inner: Inner, span: Span, is_in_transaction: bool, before: Before) -> Self {
        if !span.is_recording() && matches!(before, Before::Same) {
            return Self(Kind::Plain(inner));
        }
        let delivery = Arc::new(Delivery(Mutex::new(State {
            inner: Some(inner),
            span,
            is_in_transaction,
            before,
            output: None,
            waiting: None,
        })));
        delivery.advance();
        Self(Kind::Tracked(delivery))
    }
}

impl Future for DeliveryFuture {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        match &mut self.0 {
            Kind::Plain(inner) => Pin::new(inner).poll(cx),
            Kind::Tracked(delivery) => delivery.poll(cx),
        }
    }
}

impl fmt::Debug for DeliveryFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryFuture").finish_non_exhaustive()
    }
}

/// Waits for the delivery on its own: it is the waker of rdkafka's future, and so is
/// called by the producer's thread. That future keeps it alive until the producer has
/// reported the delivery or is dropped.
struct Delivery(Mutex<State>);

struct State {
    /// `None` when it is done.
    inner: Option<Inner>,
    span: Span,
    is_in_transaction: bool,
    before: Before,
    output: Option<Output>,
    /// Who awaits it.
    waiting: Option<Waker>,
}

impl Delivery {
    fn advance(self: &Arc<Self>) {
        let mut state = self.state();
        let Some(inner) = &mut state.inner else {
            return;
        };
        let waker = Waker::from(self.clone());
        let Poll::Ready(output) = Pin::new(inner).poll(&mut Context::from_waker(&waker)) else {
            return;
        };
        let waiting = state.done(output);
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Output> {
        // Neither cloned nor dropped under the lock: a waker may run anything.
        let waker = cx.waker().clone();
        let mut state = self.state();
        if let Some(output) = state.output.take() {
            return Poll::Ready(output);
        }
        let before = state.waiting.replace(waker);
        drop(state);
        drop(before);
        Poll::Pending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Delivery {
    fn wake(self: Arc<Self>) {
        self.advance();
    }
}

impl State {
    /// Ends the span; a record that comes back has the user's headers.
    fn done(&mut self, output: Output) -> Option<Waker> {
        self.inner = None;
        let mut span = std::mem::replace(&mut self.span, Span::none());
        let before = std::mem::replace(&mut self.before, Before::Same);
        self.output = Some(match output {
            Ok(Ok(delivery)) => Ok(Ok(delivery)),
            Ok(Err((error, mut message))) => {
                record_undelivered(&mut span, &error, self.is_in_transaction);
                let mut headers = message.detach_headers();
                before.restore(&mut headers);
                Ok(Err((error, message.replace_headers(headers))))
            }
            Err(gone) => {
                span.record_error(Failure::display(&"the producer was dropped"));
                Err(gone)
            }
        });
        span.end();
        self.waiting.take()
    }
}
