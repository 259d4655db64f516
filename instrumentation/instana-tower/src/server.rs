//! The layer for servers.

use std::borrow::Cow;
use std::fmt;
use std::task::{Context, Poll};

use http::{Request, Response};
use instana::Tracer;
use instana_http::server::RequestHead;
use instana_http::server::{NoRoute, Options, ResponseFuture, RouteTemplate, TracedBody};
use tower_layer::Layer;
use tower_service::Service;

/// Records each request that comes in as an entry, which ends with the body of
/// its response.
///
/// Put it outside of everything that answers requests. Where two are stacked,
/// the outer one records, also with a queue or a task between them, and the inner one
/// adds the route's template.
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct InstanaServerLayer<R = NoRoute> {
    options: Options<R>,
}

impl InstanaServerLayer {
    /// A layer for the process's tracer, without route templates.
    pub fn new() -> Self {
        Self::default()
    }

    /// Finds the template of the route that a request takes, such as
    /// `/orders/{id}`. It is asked before the request is handled.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use instana_tower::RequestHead;
    ///
    /// struct Matched(&'static str);
    ///
    /// let layer = instana_tower::InstanaServerLayer::new()
    ///     .route(|request: RequestHead<'_>| Some(request.extensions.get::<Matched>()?.0.into()));
    /// # let _ = layer;
    /// ```
    pub fn route<F>(self, route: F) -> InstanaServerLayer<F>
    where
        F: for<'a> Fn(RequestHead<'a>) -> Option<Cow<'a, str>>,
    {
        self.route_template(route)
    }

    /// As [`route`](Self::route), with a type of its own.
    pub fn route_template<R: RouteTemplate>(self, route: R) -> InstanaServerLayer<R> {
        InstanaServerLayer {
            options: self.options.route_template(route),
        }
    }
}

impl<R> InstanaServerLayer<R> {
    /// The tracer for requests that come in outside of any context; the
    /// process's unless set.
    pub fn tracer(self, tracer: Tracer) -> Self {
        Self {
            options: self.options.tracer(tracer),
        }
    }

    /// Requests to leave out: neither they nor the calls they make are recorded, and the
    /// suppression is propagated to callees.
    ///
    /// ```
    /// let layer = instana_tower::InstanaServerLayer::new()
    ///     .ignore(|request| request.uri.path() == "/health");
    /// # let _ = layer;
    /// ```
    pub fn ignore(self, ignore: impl Fn(RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self {
            options: self.options.ignore(ignore),
        }
    }

    /// Whether responses say their trace id in `Server-Timing`, so that a
    /// browser's monitoring finds it. Default: yes.
    pub fn server_timing(self, on: bool) -> Self {
        Self {
            options: self.options.server_timing(on),
        }
    }
}

impl<R> From<Options<R>> for InstanaServerLayer<R> {
    fn from(options: Options<R>) -> Self {
        Self { options }
    }
}

impl<S, R: Clone> Layer<S> for InstanaServerLayer<R> {
    type Service = Server<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Server {
            inner,
            options: self.options.clone(),
        }
    }
}

/// The service of [`InstanaServerLayer`].
#[derive(Clone, Debug)]
pub struct Server<S, R = NoRoute> {
    inner: S,
    options: Options<R>,
}

impl<S, R> Server<S, R> {
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

impl<S> From<S> for Server<S> {
    fn from(inner: S) -> Self {
        InstanaServerLayer::new().layer(inner)
    }
}

impl<S, R, B, ResBody> Service<Request<B>> for Server<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: fmt::Display + fmt::Debug + 'static,
    ResBody: http_body::Body,
    R: RouteTemplate,
{
    type Response = Response<TracedBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.options
            .serve(request, |request| self.inner.call(request))
    }
}
