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

/// The end of a template that fits a path: a router puts the templates of two requests
/// together where the second one has the first one's extensions. The whole of it, where
/// none does.
#[cold]
#[inline(never)]
pub(super) fn fitting<'a>(template: &'a str, path: &str) -> &'a str {
    let mut ends = template
        .match_indices('/')
        .filter_map(|(at, _)| template.get(at..));
    ends.find(|end| fits(end, path)).unwrap_or(template)
}

fn fits(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let mut rest = template.split('/').peekable();
    while let Some(part) = rest.next() {
        let Some(segment) = segments.next() else {
            return false;
        };
        if part.starts_with("{*") && rest.peek().is_none() {
            return true;
        }
        if part != segment && (segment.is_empty() || !part.contains('{')) {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_templates_the_one_of_the_path_is_found() {
        for (template, path, expected) in [
            ("/orders/{id}", "/orders/7", "/orders/{id}"),
            ("/gw/{*rest}/orders/{id}", "/orders/7", "/orders/{id}"),
            ("/orders/{id}/orders/{id}", "/orders/7", "/orders/{id}"),
            ("/orders/{id}/{id}", "/7", "/{id}"),
            ("/gw/{*rest}/files/{*path}", "/files/a/b", "/files/{*path}"),
            ("/batch/{a}.{b}", "/x.y", "/{a}.{b}"),
            ("/overview/", "/", "/"),
            ("/orders/{id}", "/orders/", "/orders/{id}"),
            ("/a/{b}/c", "/x/y/z", "/a/{b}/c"),
            ("none", "/x", "none"),
            ("", "", ""),
        ] {
            assert_eq!(fitting(template, path), expected, "{template} {path}");
        }
    }
}
