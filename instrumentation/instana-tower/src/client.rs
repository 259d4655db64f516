//! The layer for clients.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, Uri};
use instana::{FutureExt, InSpan, Span};
use instana_http::{client, record_failure, record_response};
use tower_layer::Layer;
use tower_service::Service;

use crate::grpc::InstanaGrpcClientLayer;

/// Records each request that goes out as an exit, which ends with the head of
/// its response, and adds the headers that continue the trace in the callee.
///
/// Put it inside of retries, so that each attempt is seen, and outside of a pool
/// of connections.
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct InstanaClientLayer {
    origin: Option<Arc<Uri>>,
}

impl InstanaClientLayer {
    /// A layer that records below the current context.
    pub fn new() -> Self {
        Self::default()
    }

    /// The server of the service's connections: scheme, host and port for requests that lack
    /// them, such as the requests of gRPC clients. It is recorded, not sent.
    ///
    /// ```
    /// use http::Uri;
    /// use instana_tower::InstanaClientLayer;
    ///
    /// let layer = InstanaClientLayer::new().origin(Uri::from_static("https://stock:8443"));
    /// # let _ = layer;
    /// ```
    pub fn origin(self, origin: Uri) -> Self {
        Self {
            origin: Some(Arc::new(origin)),
        }
    }

    /// The layer for clients of gRPC. Without it, the status of a call is read where it
    /// stands in the head of the response, and an exit ends there.
    pub fn grpc(self) -> InstanaGrpcClientLayer {
        InstanaGrpcClientLayer::new(self.origin)
    }
}

impl<S> Layer<S> for InstanaClientLayer {
    type Service = Client<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Client {
            inner,
            origin: self.origin.clone(),
        }
    }
}

/// The service of [`InstanaClientLayer`].
#[derive(Clone, Debug)]
pub struct Client<S> {
    inner: S,
    origin: Option<Arc<Uri>>,
}

impl<S> Client<S> {
    /// The wrapped service.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The wrapped service, for changes.
    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Takes the service out.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S> From<S> for Client<S> {
    fn from(inner: S) -> Self {
        InstanaClientLayer::new().layer(inner)
    }
}

impl<S, B, ResBody> Service<Request<B>> for Client<S>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: fmt::Display + fmt::Debug + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = InSpan<S::Future, fn(&mut Span, &Result<S::Response, S::Error>)>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut span = client::exit_to(&mut request, self.origin.as_deref());
        let future = span.enter(|| self.inner.call(request));
        future.in_span_with(span, answered)
    }
}

fn answered<B, E>(span: &mut Span, result: &Result<Response<B>, E>)
where
    E: fmt::Display + fmt::Debug + 'static,
{
    match result {
        Ok(response) => record_response(span, response.status(), response.headers()),
        Err(error) => record_failure(span, error),
    }
}
