//! How requests are recorded.

use std::fmt;
use std::sync::Arc;

use http::Request;
use instana::span::http::{ENTRY, Http, has_path};
use instana::span::{Kind, Recording};
use instana::{Context, Span, Tracer};

use super::future::{Asked, Guarded, ResponseFuture};
use super::route::fitting;
use super::{NoRoute, RequestHead, RouteTemplate};
use crate::mark::{self, Mark};
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

impl<R: RouteTemplate> Options<R> {
    /// As [`new`](Options::new), for the layer of a router: requests that come to it have
    /// a route, and hold as much as their extensions have room for.
    pub fn in_router(route: R) -> Self {
        mark::expect_in_router();
        Self::unseen(route)
    }
}

impl<R> Options<R> {
    fn unseen(route: R) -> Self {
        Self {
            tracer: Tracer::global(),
            ignore: None,
            server_timing: true,
            route,
        }
    }

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

    /// The resolver of route templates.
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
    /// Calls the service with the request inside an entry. Where an outer layer has
    /// begun one for the request, that learns the route's template. Another request
    /// inside of an open entry is part of that, unless it came as a call that goes out.
    #[inline]
    pub fn serve<B, F>(
        &self,
        mut request: Request<B>,
        call: impl FnOnce(Request<B>) -> F,
    ) -> ResponseFuture<F> {
        let tracer = self.tracer.in_context();
        if !tracer.is_on() {
            return ResponseFuture::untraced(call(request));
        }
        let head = RequestHead::of(&request);
        let mut is_inherited = false;
        if mark::are_made() {
            if let Some(mark) = Mark::of(&request) {
                if let Some(entry) = mark.entry(head, self.route.original_path(head)) {
                    let is_inherited = mark.is_inherited();
                    return self.serve_again(entry, is_inherited, request, call);
                }
                is_inherited = true;
            }
        }
        let path = self.path(head, is_inherited);
        let mut incoming = extract(head.headers, &tracer);
        let is_ignored = self.ignore.as_ref().is_some_and(|ignore| ignore(head));
        if is_ignored {
            incoming = incoming.into_suppressed();
        }
        let mut span = tracer.layered_entry(&ENTRY, &incoming);
        if span.is_recording() {
            record_request(&mut span, head, path);
            self.record_route(&mut span, head, path, is_inherited);
            span.decide();
        } else if span.is_none() && !is_ignored {
            self.pass_on(head, path);
        }
        if mark::are_made() {
            let asked = mark::asked(head.method, path);
            let mark = Mark::new(&span, asked).inherited(is_inherited);
            request.extensions_mut().insert(mark);
        }
        let asked = Asked::of(request.method(), request.version());
        let mut span = Guarded::new(span);
        let inner = span.enter(|| call(request));
        ResponseFuture::new(inner, span.release(), asked, self.server_timing)
    }

    /// Serves a request for which another layer has begun an entry.
    #[cold]
    #[inline(never)]
    fn serve_again<B, F>(
        &self,
        entry: Context,
        is_inherited: bool,
        request: Request<B>,
        call: impl FnOnce(Request<B>) -> F,
    ) -> ResponseFuture<F> {
        let head = RequestHead::of(&request);
        let ids = entry.ids();
        instana::current(|open| {
            // It may be a span that a middleware between the two has opened.
            if !ids.is_none() && ids == open.context().ids() {
                let path = self.path(head, is_inherited);
                self.record_route(open, head, path, is_inherited);
            }
        });
        let asked = Asked::of(head.method, request.version());
        let mut span = Guarded::new(carrier(entry));
        let inner = span.enter(|| call(request));
        ResponseFuture::new(inner, span.release(), asked, self.server_timing)
    }

    /// An entry is open, and this request has no mark: it is another one. Only the first
    /// may be the same, where one layer stands twice around it, with routers in between
    /// that have taken the front off its path.
    #[cold]
    #[inline(never)]
    fn pass_on(&self, head: RequestHead<'_>, path: &str) {
        let rest = head.uri.path();
        let is_same = mark::is_first()
            && (path.ends_with(rest) || rest == "/")
            && instana::current(|open| {
                let is_same = open.kind() == Some(Kind::Entry) && has_path(open, path);
                if is_same {
                    self.record_route(open, head, path, false);
                }
                is_same
            }) == Some(true);
        if !is_same {
            Tracer::refuse(&ENTRY);
        }
    }

    /// The path that the client asked for. Inherited extensions do not know it.
    fn path<'a>(&self, request: RequestHead<'a>, is_inherited: bool) -> &'a str {
        let original = self.route.original_path(request).filter(|_| !is_inherited);
        original.unwrap_or_else(|| request.uri.path())
    }

    /// A template that is no more than the path says nothing.
    #[inline]
    fn record_route(
        &self,
        span: &mut impl Recording,
        request: RequestHead<'_>,
        path: &str,
        is_inherited: bool,
    ) {
        if let Some(template) = self.route.route(request) {
            let template = match is_inherited {
                true => fitting(&template, path),
                false => &*template,
            };
            if template != path {
                Http::record(span, |http| {
                    http.path_tpl(template);
                });
            }
        }
    }
}

/// Carries the context of a request's entry where the code is in none.
fn carrier(entry: Context) -> Span {
    let current = Context::current();
    if current.is_active() || current.is_suppressed() {
        Span::none()
    } else {
        Span::carrier(entry)
    }
}

impl<R: Default> Default for Options<R> {
    fn default() -> Self {
        mark::expect();
        Self::unseen(R::default())
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
