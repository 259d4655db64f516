//! Requests that go out.

use std::borrow::Cow;

use http::Request;
use http::uri::Uri;
use instana::Span;
use instana::span::http::{EXIT, Http};

use crate::record::host;
use crate::{inject, record_exit};

/// The template of a request's path, such as `/users/{id}`: put into the
/// extensions of a request, it is recorded with the exit, so that calls to one
/// route are seen as one.
///
/// ```
/// use instana_http::client::PathTemplate;
///
/// let request = http::Request::get("http://shop/users/7")
///     .extension(PathTemplate::new("/users/{id}"))
///     .body(());
/// # assert!(request.is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate(Cow<'static, str>);

impl PathTemplate {
    /// A template.
    pub fn new(template: impl Into<Cow<'static, str>>) -> Self {
        Self(template.into())
    }

    /// The template's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Records the template on a span.
    pub fn record(&self, span: &mut Span) {
        Http::record(span, |http| {
            http.path_tpl(self.as_str());
        });
    }
}

/// Starts the exit of a request, describes it and writes its headers. The span
/// is to be ended with the head of the response.
#[inline]
pub fn exit<B>(request: &mut Request<B>) -> Span {
    let mut span = Span::exit(&EXIT);
    if span.is_recording() {
        let url = url(request);
        let (method, query) = (request.method(), request.uri().query());
        record_exit(&mut span, method, &url, query, request.headers());
        if let Some(template) = request.extensions().get::<PathTemplate>() {
            template.record(&mut span);
        }
        span.decide();
    }
    inject(&span, request.headers_mut());
    span
}

/// The URL without its query. A request in origin form (`/path`) goes to its
/// `Host`, and does not say by which scheme: `http` is assumed.
fn url<B>(request: &Request<B>) -> String {
    let uri: &Uri = request.uri();
    let scheme = uri.scheme_str().unwrap_or("http");
    let authority = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => host(uri, request.headers()).unwrap_or_default(),
    };
    let mut url = String::with_capacity(scheme.len() + 3 + authority.len() + uri.path().len());
    for part in [scheme, "://", authority, uri.path()] {
        url.push_str(part);
    }
    url
}
