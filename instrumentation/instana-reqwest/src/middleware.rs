//! For clients of reqwest-middleware.

use std::future::Future;
use std::pin::Pin;

use http::Extensions;
use instana::FutureExt;
use instana_http::client::PathTemplate;
use instana_http::record_response;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use crate::send;

/// A middleware that records each request as an exit. Add it after retries, so
/// that each attempt is seen.
///
/// A [`PathTemplate`] in the request's extensions is recorded.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InstanaMiddleware;

impl InstanaMiddleware {
    /// The middleware.
    pub fn new() -> Self {
        Self
    }
}

// What `#[async_trait]` makes of the trait, without its macro.
impl Middleware for InstanaMiddleware {
    fn handle<'s, 'e, 'n, 'f>(
        &'s self,
        mut request: Request,
        extensions: &'e mut Extensions,
        next: Next<'n>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'f>>
    where
        's: 'f,
        'e: 'f,
        'n: 'f,
        Self: 'f,
    {
        let mut span = send::exit(&mut request, extensions.get::<PathTemplate>());
        let future = span.enter(|| next.run(request, extensions));
        Box::pin(future.in_span_with(span, |span, result| match result {
            Ok(response) => record_response(span, response.status(), response.headers()),
            Err(error) => span.record_error(error),
        }))
    }
}
