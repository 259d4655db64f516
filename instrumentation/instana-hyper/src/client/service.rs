//! Services of clients.

use std::fmt;

use http::{Request, Response};
use hyper::service::Service;
use instana::{FutureExt, InSpan, Span};
use instana_http::{client, record_failure, record_response};

/// A service whose requests are recorded as exits. An exit ends with the head of
/// its response.
#[derive(Clone, Debug)]
pub struct Traced<S> {
    inner: S,
}

impl<S> Traced<S> {
    /// Wraps a service.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }

    /// The wrapped service.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Takes the service out.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S> From<S> for Traced<S> {
    fn from(inner: S) -> Self {
        Self::new(inner)
    }
}

impl<S, B, ResBody> Service<Request<B>> for Traced<S>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: fmt::Display + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InSpan<S::Future, fn(&mut Span, &Result<S::Response, S::Error>)>;

    fn call(&self, mut request: Request<B>) -> Self::Future {
        let mut span = client::exit(&mut request);
        let future = span.enter(|| self.inner.call(request));
        future.in_span_with(span, |span, result| match result {
            Ok(response) => record_response(span, response.status(), response.headers()),
            Err(error) => record_failure(span, error),
        })
    }
}
