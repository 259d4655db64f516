//! The layer for clients of gRPC.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, Uri};
use http_body::Body;
use instana_http::client::{self, ResponseFuture, TracedBody};
use tower_layer::Layer;
use tower_service::Service;

/// As [`InstanaClientLayer`](crate::InstanaClientLayer), for clients of gRPC: the exit
/// of a call ends with its trailers, which have the status of calls that answer with
/// messages first. The body of responses is a [`TracedBody`] for that.
///
/// [`InstanaClientLayer::grpc`](crate::InstanaClientLayer::grpc) makes it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct InstanaGrpcClientLayer {
    origin: Option<Arc<Uri>>,
}

impl InstanaGrpcClientLayer {
    pub(crate) fn new(origin: Option<Arc<Uri>>) -> Self {
        Self { origin }
    }
}

impl<S> Layer<S> for InstanaGrpcClientLayer {
    type Service = GrpcClient<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GrpcClient {
            inner,
            origin: self.origin.clone(),
        }
    }
}

/// The service of [`InstanaGrpcClientLayer`].
#[derive(Clone, Debug)]
pub struct GrpcClient<S> {
    inner: S,
    origin: Option<Arc<Uri>>,
}

impl<S> GrpcClient<S> {
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

impl<S, B, ResBody> Service<Request<B>> for GrpcClient<S>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: fmt::Display + fmt::Debug + 'static,
    ResBody: Body,
{
    type Response = Response<TracedBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut span = client::exit_to(&mut request, self.origin.as_deref());
        let future = span.enter(|| self.inner.call(request));
        ResponseFuture::new(future, span)
    }
}
