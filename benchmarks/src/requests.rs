//! axum requests in process: no socket, no runtime, no HTTP parsing.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{HeaderMap, Request, Uri, header};
use http_body::Body as _;
use tower_service::Service;

use crate::values;
use crate::work::drive;

/// A router with one route that answers JSON.
pub(crate) fn router() -> Router {
    Router::new().route(values::TEMPLATE, get(product))
}

async fn product() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        r#"{"id":12345,"name":"book","price":1250}"#,
    )
}

/// A request as it comes from hyper.
pub(crate) fn request(headers: &HeaderMap) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static("/api/products/12345?category=books&page=2");
    *request.headers_mut() = headers.clone();
    request
}

/// Answers a request and reads the body to its end; the body's length.
#[inline]
pub(crate) fn answer(router: &mut Router, request: Request<Body>) -> usize {
    let Ok(response) = drive(pin!(Service::<Request<Body>>::call(router, request)));
    let mut body = pin!(response.into_body());
    let mut context = Context::from_waker(Waker::noop());
    let mut length = 0;
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        length += frame.data_ref().map_or(0, |data| data.len());
    }
    length
}
