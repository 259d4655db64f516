//! Calls of which only failures are recorded.

use std::future::Future;
use std::mem;

use crate::config::Switches;
use crate::trace::context::Context;
use crate::trace::context::Tracer;
use crate::trace::span::Span;

/// The exit of a call that is recorded only where it fails or is given up, such as
/// connecting. For instrumentation.
///
/// It is not entered: were it discarded, what is below it would have no parent.
///
/// ```
/// use instana::span::Attempt;
///
/// let attempt = Attempt::new(instana::exit_span("connect"));
/// let connection = attempt.call(
///     || std::net::TcpStream::connect("127.0.0.1:1"),
///     |span, error| span.record_error(error),
/// );
/// assert!(connection.is_err());
/// ```
#[derive(Debug)]
#[must_use = "it is the call that is recorded"]
pub struct Attempt {
    span: Span,
    is_begun: bool,
}

impl Attempt {
    /// For an exit that was made where the call was.
    pub fn new(span: Span) -> Self {
        Self {
            span,
            is_begun: false,
        }
    }

    /// For an exit that `start` makes. Outside of any entry it is not made, and does not
    /// count as one that was not recorded: pools establish connections whenever they
    /// need some.
    pub fn start(start: impl FnOnce() -> Span) -> Self {
        Self::new(if is_outside() { Span::none() } else { start() })
    }

    /// Whether a failure is recorded.
    pub fn is_recording(&self) -> bool {
        self.span.is_recording()
    }

    /// The exit, where the call is to be recorded after all.
    pub fn into_span(mut self) -> Span {
        self.take()
    }

    /// Makes the call; `failed` describes its error.
    ///
    /// # Errors
    /// The errors of the call.
    pub fn call<T, E>(
        mut self,
        call: impl FnOnce() -> Result<T, E>,
        failed: impl FnOnce(&mut Span, &E),
    ) -> Result<T, E> {
        self.begin();
        let result = call();
        self.done(&result, failed);
        result
    }

    /// Awaits the call; `failed` describes its error.
    ///
    /// # Errors
    /// The errors of the call.
    pub async fn watch<T, E>(
        self,
        call: impl Future<Output = Result<T, E>>,
        failed: impl FnOnce(&mut Span, &E),
    ) -> Result<T, E> {
        self.measure(call, failed).await.map(|(output, _)| output)
    }

    /// Awaits the call; how many milliseconds it took, where it could be recorded.
    ///
    /// # Errors
    /// The errors of the call.
    pub async fn measure<T, E>(
        mut self,
        call: impl Future<Output = Result<T, E>>,
        failed: impl FnOnce(&mut Span, &E),
    ) -> Result<(T, Option<u64>), E> {
        self.begin();
        let result = call.await;
        let millis = self.done(&result, failed);
        result.map(|output| (output, millis))
    }

    fn begin(&mut self) {
        self.span.begin();
        self.is_begun = true;
    }

    fn done<T, E>(
        mut self,
        result: &Result<T, E>,
        failed: impl FnOnce(&mut Span, &E),
    ) -> Option<u64> {
        let mut span = self.take();
        let millis = span.is_recording().then(|| span.elapsed_millis());
        match result {
            Ok(_) => span.discard(),
            Err(error) => failed(&mut span, error),
        }
        millis
    }

    fn take(&mut self) -> Span {
        mem::replace(&mut self.span, Span::none())
    }
}

/// Of a call that was given up, or never begun.
impl Drop for Attempt {
    fn drop(&mut self) {
        let mut span = self.take();
        if self.is_begun {
            span.cancelled_early();
        } else {
            span.discard();
        }
    }
}

fn is_outside() -> bool {
    let context = Context::current();
    let tracer = Tracer::global().in_context();
    let is_inside = context.is_active() || context.is_suppressed();
    !is_inside && !tracer.switches().has(Switches::ROOT_EXITS)
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::testing::Recorder;

    fn attempt() -> Attempt {
        Attempt::new(crate::exit_span("connect"))
    }

    fn failed(span: &mut Span, error: &fmt::Error) {
        span.record_error(error);
    }

    fn polled<T>(call: impl Future<Output = T>) -> Poll<T> {
        pin!(call).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_succeeds_is_not_recorded_and_what_is_made_meanwhile_is() {
        let below = || {
            crate::exit_span("below").end();
            Ok(7)
        };
        let recorder = Recorder::new();
        recorder.enter(|| {
            crate::entry_span("job").enter(|| {
                assert_eq!(attempt().call(below, failed), Ok(7));
                let watched = attempt().watch(async { below() }, failed);
                assert_eq!(polled(watched), Poll::Ready(Ok(7)));
                let measured = attempt().measure(async { below() }, failed);
                assert!(matches!(polled(measured), Poll::Ready(Ok((7, Some(_))))));
            });
        });
        recorder.assert_tree("entry job\n  exit below\n  exit below\n  exit below");
    }

    #[test]
    fn failures_and_what_is_given_up_are() {
        let recorder = Recorder::new();
        recorder.enter(|| {
            crate::entry_span("job").enter(|| {
                assert!(attempt().call(|| Err::<(), _>(fmt::Error), failed).is_err());
                let call = attempt().watch(async { Err::<(), _>(fmt::Error) }, failed);
                assert!(polled(call).is_ready());
                let call = attempt().watch(std::future::pending::<Result<(), _>>(), failed);
                assert!(polled(call).is_pending());
                drop(attempt());
                drop(attempt().watch(std::future::pending::<Result<(), _>>(), failed));
                attempt().into_span().end();
            });
        });
        let job = recorder.labelled("job");
        let errors: Vec<_> = recorder
            .children(&job)
            .iter()
            .map(|exit| exit.error_text().unwrap_or_default())
            .collect();
        let told = fmt::Error.to_string();
        assert_eq!(errors.len(), 4);
        assert_eq!(errors[..2], [told.clone(), told]);
        assert!(errors[2].starts_with("cancelled after "), "{errors:?}");
        assert_eq!(errors[3], "");
    }

    #[test]
    fn without_a_trace_it_is_the_call() {
        assert!(!attempt().is_recording());
        let measured = attempt().measure(async { Ok(7) }, failed);
        assert_eq!(polled(measured), Poll::Ready(Ok((7, None))));
    }
}
