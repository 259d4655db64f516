//! The head of a request.

use std::fmt;

use http::uri::Uri;
use http::{Extensions, HeaderMap, Method, Request};

/// The head of an incoming request, the argument of
/// [`RouteTemplate`](super::RouteTemplate) and `ignore`. It is borrowed, so nothing is
/// moved.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query, and the authority where the request has one.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The data that servers and layers attached to the request.
    pub extensions: &'a Extensions,
}

// Query and headers may hold secrets.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

impl<'a> RequestHead<'a> {
    /// The head of `request`.
    #[inline]
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}
