//! A process with one layer, whose first request inside of another one carries that one's
//! extensions. What layers know of each other is of the process: this is the only test in
//! its own.

use axum::Router;
use axum::body::Body;
use axum::extract::Request as Incoming;
use axum::http::Request;
use axum::routing::{any, get};
use instana::testing::Recorder;
use instana_axum::InstanaLayer;
use tower::ServiceExt;

#[tokio::test]
async fn a_request_with_a_copy_of_the_extensions_is_another_one() {
    let recorder = Recorder::new();
    let layer = InstanaLayer::new().tracer(recorder.tracer());
    let orders = Router::new()
        .route("/orders/{id}", any(async || "an order"))
        .layer(layer.clone());
    let overview = get(async move |request: Incoming| {
        let mut copied = Request::get("/orders/7").body(Body::empty()).unwrap();
        *copied.extensions_mut() = request.extensions().clone();
        orders.oneshot(copied).await.unwrap()
    });
    let router = Router::new()
        .route("/customers/{id}/overview", overview)
        .layer(layer);
    for _ in 0..2 {
        let request = Request::get("/customers/1/overview");
        let request = request.body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap();
        let entry = recorder.labelled("g.http");
        let template = entry.text("data.http.path_tpl");
        assert_eq!(template.as_deref(), Some("/customers/{id}/overview"));
        assert_eq!(recorder.counts().entries_inside, 1);
        recorder.clear();
    }
}
