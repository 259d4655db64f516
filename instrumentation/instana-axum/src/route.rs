//! Templates from axum's router.

use std::borrow::Cow;

use axum::extract::{MatchedPath, OriginalUri};
use instana_tower::RequestHead;
use instana_tower::RouteTemplate;

use crate::around;

/// The template of the route that axum's router took, nested routers included.
/// Fallbacks have none.
#[derive(Clone, Copy, Debug, Default)]
pub struct MatchedRoute;

impl RouteTemplate for MatchedRoute {
    fn route<'a>(&self, request: RequestHead<'a>) -> Option<Cow<'a, str>> {
        let matched = request.extensions.get::<MatchedPath>()?;
        around::template_seen();
        Some(Cow::Borrowed(matched.as_str()))
    }

    /// Inside of a nested router, the request has the rest of the path only.
    fn original_path<'a>(&self, request: RequestHead<'a>) -> Option<&'a str> {
        let OriginalUri(original) = request.extensions.get()?;
        Some(original.path())
    }
}
