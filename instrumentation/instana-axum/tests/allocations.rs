//! What the layer allocates for a request.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use instana::testing::Recorder;
use instana_axum::InstanaLayer;
use test_helpers::Counting;
use tower::ServiceExt;
use tower::util::MapRequestLayer;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn router() -> Router {
    Router::new().route("/orders/{id}", get(async || "an order"))
}

/// Allocations of one request, when others were served before.
async fn allocations(router: Router) -> usize {
    let mut count = 0;
    for _ in 0..20 {
        let request = Request::get("/orders/7").body(Body::empty()).unwrap();
        let router = router.clone();
        let before = test_helpers::allocations();
        let response = router.oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
        count = test_helpers::allocations() - before;
    }
    count
}

#[tokio::test]
async fn a_request_costs_few_allocations_and_without_a_tracer_one() {
    let plain = router().layer(MapRequestLayer::new(|request: Request<Body>| request));
    let plain = allocations(plain).await;
    // One layer: with several, requests are marked.
    let layer = InstanaLayer::new();
    let off = allocations(router().layer(layer.clone())).await;
    assert!(off <= plain + 1, "{off} without a tracer, {plain} without");

    let recorder = Recorder::new();
    let layer = layer.tracer(recorder.tracer());
    let on = allocations(router().layer(layer)).await;
    println!("{plain} without the layer, {on} with it");
    // The body in its box, and what a recorder needs beside.
    assert!(on <= plain + 4, "{on} with it, {plain} without");
}
