//! What the layer makes of a router's services.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::MatchedRoute;
use crate::around;

/// The service of [`InstanaLayer`](crate::InstanaLayer). It answers with axum's own
/// [`Body`], as a router does.
#[derive(Clone, Debug)]
pub struct Server<S> {
    inner: instana_tower::Server<S, MatchedRoute>,
    /// The routes are found below this service.
    is_around_router: bool,
}

impl<S> Server<S> {
    pub(crate) fn new(inner: instana_tower::Server<S, MatchedRoute>) -> Self {
        Self {
            inner,
            is_around_router: around::is_around_router::<S>(),
        }
    }

    /// The wrapped service.
    pub fn inner(&self) -> &S {
        self.inner.inner()
    }

    /// The wrapped service, for changes.
    pub fn inner_mut(&mut self) -> &mut S {
        self.inner.inner_mut()
    }

    /// Takes the service out.
    pub fn into_inner(self) -> S {
        self.inner.into_inner()
    }
}

impl<S, B, ResBody> Service<Request<B>> for Server<S>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: fmt::Display + fmt::Debug + 'static,
    ResBody: HttpBody<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError> + fmt::Display + fmt::Debug,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture {
            inner: self.inner.call(request),
            is_around_router: self.is_around_router,
        }
    }
}

pin_project! {
    /// The future of [`Server`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: instana_tower::ResponseFuture<F>,
        is_around_router: bool,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError> + fmt::Display + fmt::Debug,
    E: fmt::Display + fmt::Debug + 'static,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let status = response.status();
        // A body that is traced is boxed here, and not again by the router.
        Poll::Ready(Ok(response.map(|body| match body.into_untraced() {
            Ok(plain) => Body::new(plain),
            Err(traced) => {
                if *this.is_around_router {
                    around::answered(status);
                }
                Body::new(traced)
            }
        })))
    }
}
