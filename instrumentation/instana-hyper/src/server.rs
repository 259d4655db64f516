//! Services of servers.

use std::borrow::Cow;
use std::fmt;

use http::{Request, Response};
use http_body::Body;
use hyper::service::Service;
use instana::Tracer;
use instana_http::server::Options;

pub use instana_http::server::{NoRoute, RequestHead, ResponseFuture, RouteTemplate, TracedBody};

/// A service whose requests are recorded as entries. An entry ends with the body
/// of its response.
#[derive(Clone, Debug)]
pub struct Traced<S, R = NoRoute> {
    inner: S,
    options: Options<R>,
}

impl<S> Traced<S> {
    /// Wraps a service: for the process's tracer, without route templates.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            options: Options::new(),
        }
    }

    /// Finds the template of the route that a request takes, such as
    /// `/orders/{id}`. It is asked before the request is handled.
    pub fn route<F>(self, route: F) -> Traced<S, F>
    where
        F: for<'a> Fn(RequestHead<'a>) -> Option<Cow<'a, str>>,
    {
        self.route_template(route)
    }

    /// As [`route`](Self::route), with a type of its own.
    pub fn route_template<R: RouteTemplate>(self, route: R) -> Traced<S, R> {
        Traced {
            inner: self.inner,
            options: self.options.route_template(route),
        }
    }
}

impl<S, R> Traced<S, R> {
    /// The tracer for requests that come in outside of any context; the
    /// process's unless set.
    pub fn tracer(self, tracer: Tracer) -> Self {
        Self {
            inner: self.inner,
            options: self.options.tracer(tracer),
        }
    }

    /// Requests to leave out: neither they nor the calls they make are recorded, and the
    /// suppression is propagated to callees.
    pub fn ignore(self, ignore: impl Fn(RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self {
            inner: self.inner,
            options: self.options.ignore(ignore),
        }
    }

    /// Whether responses say their trace id in `Server-Timing`, so that a
    /// browser's monitoring finds it. Default: yes.
    pub fn server_timing(self, on: bool) -> Self {
        Self {
            inner: self.inner,
            options: self.options.server_timing(on),
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

impl<S, R, B, ResBody> Service<Request<B>> for Traced<S, R>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    S::Error: fmt::Display + fmt::Debug + 'static,
    ResBody: Body,
    R: RouteTemplate,
{
    type Response = Response<TracedBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn call(&self, request: Request<B>) -> Self::Future {
        self.options
            .serve(request, |request| self.inner.call(request))
    }
}
