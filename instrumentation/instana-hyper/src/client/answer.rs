//! What an exit has of its response.

use std::error::Error;

use http::Response;
use instana::Span;
use instana_http::record_response;

pub(super) fn record_answer<B, E>(span: &mut Span, result: &Result<Response<B>, E>)
where
    E: Error + 'static,
{
    match result {
        Ok(response) => record_response(span, response.status(), response.headers()),
        Err(error) => span.record_error(error),
    }
}
