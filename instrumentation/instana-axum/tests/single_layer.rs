//! A process with one layer, which stands twice around a request. What layers know of
//! each other is of the process: this is the only test in its own.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::any;
use instana::testing::Recorder;
use instana_axum::InstanaLayer;
use tower::ServiceExt;

#[tokio::test]
async fn one_layer_that_stands_twice_around_a_request_records_one_entry() {
    let recorder = Recorder::new();
    let layer = InstanaLayer::new().tracer(recorder.tracer());
    let admin = Router::new()
        .route("/users/{user}", any(async || "user"))
        .layer(layer.clone());
    let router = Router::new().nest_service("/admin", admin).layer(layer);
    for path in ["/admin/users/7", "/admin/users/8"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap();
        let entry = recorder.labelled("g.http");
        let text = |key: &str| entry.text(&format!("data.http.{key}"));
        assert_eq!(text("path_tpl").as_deref(), Some("/admin/users/{user}"));
        assert_eq!(text("path").as_deref(), Some(path));
        assert_eq!(recorder.unrecorded(), []);
        recorder.clear();
    }
}
