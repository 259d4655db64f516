//! A layer around a whole router, in a process where no other sees a template.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use http_body_util::BodyExt;
use instana::testing::Recorder;
use instana_axum::InstanaLayer;
use tower::{Layer, ServiceExt};

fn lines() -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let known = lines.clone();
    instana::set_logger(move |_, line| known.lock().unwrap().push(line.to_owned()));
    lines
}

fn router() -> Router {
    Router::new().route("/orders/{id}", get(async || "an order"))
}

#[tokio::test]
async fn templates_that_are_missing_are_said_once() {
    let lines = lines();
    let recorder = Recorder::new();
    let layer = InstanaLayer::new().tracer(recorder.tracer());
    let call = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = layer.layer(router()).oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    };
    call("/nowhere").await;
    let count = || {
        lines
            .lock()
            .unwrap()
            .iter()
            .filter(|line| line.contains("path_tpl"))
            .count()
    };
    assert_eq!(count(), 0, "a route that there is not has no template");
    for _ in 0..10 {
        call("/orders/7").await;
    }
    // Lines leave by a thread of their own, in their order.
    let begin = Instant::now();
    while count() == 0 && begin.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(count(), 1, "{:?}", lines.lock().unwrap());
    assert_eq!(recorder.spans().len(), 11);
}
