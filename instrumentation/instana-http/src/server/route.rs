//! The template of a route.

use std::borrow::Cow;

use super::RequestHead;

/// Finds the template of the route that a request takes, such as
/// `/orders/{id}`. It is asked before the request is handled; a handler can set
/// the template later, too.
///
/// Closures of the form `|request: RequestHead<'_>| -> Option<Cow<'_, str>>` are
/// resolvers.
pub trait RouteTemplate {
    /// The template; `None` where no route matches.
    fn route<'a>(&self, request: RequestHead<'a>) -> Option<Cow<'a, str>>;

    /// The path that the client asked for, where a router has taken the front off
    /// it before the request came here.
    fn original_path<'a>(&self, _: RequestHead<'a>) -> Option<&'a str> {
        None
    }
}

impl<F> RouteTemplate for F
where
    F: for<'a> Fn(RequestHead<'a>) -> Option<Cow<'a, str>>,
{
    fn route<'a>(&self, request: RequestHead<'a>) -> Option<Cow<'a, str>> {
        self(request)
    }
}

/// Knows no template.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRoute;

impl RouteTemplate for NoRoute {
    fn route<'a>(&self, _: RequestHead<'a>) -> Option<Cow<'a, str>> {
        None
    }
}
