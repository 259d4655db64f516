//! Outgoing requests.

mod body;
mod future;

use std::borrow::Cow;
use std::panic::Location;

use http::Request;
use http::uri::Uri;
use instana::Span;
use instana::span::called_from;
use instana::span::http::{EXIT, Http};

use crate::mark::Mark;
use crate::url::url;
use crate::{inject, record_exit};

pub use self::body::TracedBody;
pub use self::future::ResponseFuture;

/// The template of a request's path, such as `/users/{id}`: put into the
/// extensions of a request, it is recorded with the exit, so that calls to one
/// route are seen as one. It stays in the extensions: whoever sends these on with
/// another request, replaces it.
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
#[track_caller]
pub fn exit<B>(request: &mut Request<B>) -> Span {
    exit_to(request, None)
}

/// As [`exit`]; `origin` is the server of the connection: scheme, host and port for
/// requests that lack them.
#[track_caller]
pub fn exit_to<B>(request: &mut Request<B>, origin: Option<&Uri>) -> Span {
    let mut span = called_from(Location::caller(), || Span::exit(&EXIT));
    if span.is_recording() {
        let url = url(request.uri(), request.headers(), origin);
        let (method, query) = (request.method(), request.uri().query());
        record_exit(&mut span, method, &url, query, request.headers());
        if let Some(template) = request.extensions().get::<PathTemplate>() {
            template.record(&mut span);
        }
        span.decide();
    }
    inject(&span, request.headers_mut());
    Mark::send(request.extensions_mut());
    span
}
