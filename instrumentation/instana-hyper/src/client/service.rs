//! Services of clients.

use std::fmt;
use std::sync::Arc;

use http::{Request, Response, Uri};
use hyper::service::Service;
use instana::{FutureExt, InSpan, Span};
use instana_http::{client, record_failure, record_response};

/// A service whose requests are recorded as exits. An exit ends with the head of
/// its response.
#[derive(Clone, Debug)]
pub struct Traced<S> {
    inner: S,
    origin: Option<Arc<Uri>>,
}

impl<S> Traced<S> {
    /// Wraps a service.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            origin: None,
        }
    }

    /// The server of the service's connections: scheme, host and port for requests that
    /// lack them. It is recorded, not sent.
    pub fn origin(self, origin: Uri) -> Self {
        Self {
            inner: self.inner,
            origin: Some(Arc::new(origin)),
        }
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
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InSpan<S::Future, fn(&mut Span, &Result<S::Response, S::Error>)>;

    fn call(&self, mut request: Request<B>) -> Self::Future {
        let mut span = client::exit_to(&mut request, self.origin.as_deref());
        let future = span.enter(|| self.inner.call(request));
        future.in_span_with(span, |span, result| match result {
            Ok(response) => record_response(span, response.status(), response.headers()),
            Err(error) => record_failure(span, error),
        })
    }
}
