//! Operations of a schema, in each of the ways to ask for them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod entries;
mod errors;
mod fields;
mod operations;
mod shop;
mod subscriptions;

use async_graphql::{Request, Response};
use instana::propagation::Incoming;
use instana::span::http::{ENTRY, Http};
use instana::testing::{RecordedSpan, Recorder};
use instana::{FutureExt as _, Span};

use crate::shop::Shop;

fn graphql(span: &RecordedSpan) -> serde_json::Value {
    let span: serde_json::Value = serde_json::from_str(&span.json()).unwrap();
    span["data"]["graphql"].clone()
}

/// As a handler does: inside the HTTP entry of the request.
async fn ask(recorder: &Recorder, shop: &Shop, request: impl Into<Request>) -> Response {
    shop.execute(request).in_span(http_entry(recorder)).await
}

fn http_entry(recorder: &Recorder) -> Span {
    let mut entry = recorder.tracer().entry(&ENTRY, &Incoming::none());
    Http::record(&mut entry, |http| {
        http.method("POST").path("/graphql");
    });
    entry
}
