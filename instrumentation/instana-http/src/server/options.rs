//! How requests are recorded.

use std::fmt;
use std::sync::Arc;

use http::Request;
use instana::Tracer;
use instana::span::http::{ENTRY, Http};
use instana::span::{Kind, Recording};

use super::future::{Asked, Guarded, ResponseFuture};
use super::{NoRoute, RequestHead, RouteTemplate};
use crate::{extract, record_request};

/// How a server records its requests: what the builders of layers and wrappers
/// set.
#[derive(Clone)]
pub struct Options<R = NoRoute> {
    tracer: Tracer,
    ignore: Option<Arc<Ignore>>,
    server_timing: bool,
    route: R,
}

/// True for requests to leave out.
type Ignore = dyn Fn(RequestHead<'_>) -> bool + Send + Sync;

impl Options {
    /// The process's tracer, no templates, `Server-Timing` on.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<R> Options<R> {
    /// The tracer for requests that come in outside of any context.
    pub fn tracer(mut self, tracer: Tracer) -> Self {
        self.tracer = tracer;
        self
    }

    /// Requests to leave out: neither they nor the calls they make are recorded.
    pub fn ignore(
        mut self,
        ignore: impl Fn(RequestHead<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.ignore = Some(Arc::new(ignore));
        self
    }

    /// Whether responses say their trace id in `Server-Timing`, for browsers.
    pub fn server_timing(mut self, on: bool) -> Self {
        self.server_timing = on;
        self
    }

    /// Who knows the templates of routes.
    pub fn route_template<R2: RouteTemplate>(self, route: R2) -> Options<R2> {
        Options {
            tracer: self.tracer,
            ignore: self.ignore,
            server_timing: self.server_timing,
            route,
        }
    }
}

impl<R: RouteTemplate> Options<R> {
    /// Calls the service with the request inside an entry. Where the code is in
    /// one already, that of an outer layer, this one learns the route's template.
    #[inline]
    pub fn serve<B, F>(
        &self,
        request: Request<B>,
        call: impl FnOnce(Request<B>) -> F,
    ) -> ResponseFuture<F> {
        let tracer = self.tracer.in_context();
        if !tracer.is_on() {
            return ResponseFuture::untraced(call(request));
        }
        let head = RequestHead::of(&request);
        let mut incoming = extract(head.headers, &tracer);
        if self.ignore.as_ref().is_some_and(|ignore| ignore(head)) {
            incoming = incoming.into_suppressed();
        }
        let mut span = tracer.entry(&ENTRY, &incoming);
        if span.is_recording() {
            let path = self.path(head);
            record_request(&mut span, head, path);
            self.record_route(&mut span, head, path);
            span.decide();
        } else {
            instana::current(|outer| {
                // It may be a span that a middleware between the two has opened.
                if outer.kind() == Some(Kind::Entry) {
                    self.record_route(outer, head, self.path(head));
                }
            });
        }
        let asked = Asked::of(head.method);
        let mut span = Guarded::new(span);
        let inner = span.enter(|| call(request));
        ResponseFuture::new(inner, span.release(), asked, self.server_timing)
    }

    /// The path that the client asked for.
    fn path<'a>(&self, request: RequestHead<'a>) -> &'a str {
        let original = self.route.original_path(request);
        original.unwrap_or_else(|| request.uri.path())
    }

    /// A template that is no more than the path says nothing.
    #[inline]
    fn record_route(&self, span: &mut impl Recording, request: RequestHead<'_>, path: &str) {
        if let Some(template) = self.route.route(request) {
            if template != path {
                Http::record(span, |http| {
                    http.path_tpl(&template);
                });
            }
        }
    }
}

impl<R: Default> Default for Options<R> {
    fn default() -> Self {
        Self {
            tracer: Tracer::global(),
            ignore: None,
            server_timing: true,
            route: R::default(),
        }
    }
}

impl<R> fmt::Debug for Options<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("tracer", &self.tracer)
            .field("ignore", &self.ignore.is_some())
            .field("server_timing", &self.server_timing)
            .finish_non_exhaustive()
    }
}
