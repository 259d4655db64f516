//! Exits of clients of gRPC.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Empty};
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use instana_tower::InstanaClientLayer;
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

type Body = Channel<Bytes, BoxError>;

fn call() -> Request<Empty<Bytes>> {
    Request::get("/shop.Orders/Get").body(Empty::new()).unwrap()
}

fn status(code: &'static str, message: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", code.parse().unwrap());
    headers.insert("grpc-message", message.parse().unwrap());
    headers
}

/// A service that answers once, with a body that is sent by hand.
fn service(
    content_type: &str,
    head: HeaderMap,
) -> (
    Sender<Bytes, BoxError>,
    impl Service<Request<Empty<Bytes>>, Response = Response<Body>, Error = Infallible>,
) {
    let (sender, body) = Channel::new(8);
    let mut response = Response::new(body);
    *response.headers_mut() = head;
    let headers = response.headers_mut();
    headers.insert("content-type", content_type.parse().unwrap());
    let mut response = Some(response);
    let answer = service_fn(move |_| std::future::ready(Ok(response.take().unwrap())));
    (sender, answer)
}

#[tokio::test]
async fn an_exit_ends_with_the_status_in_the_trailers() {
    for (code, message, expected) in [
        ("0", "", ""),
        ("5", "no%20such order", "NOT_FOUND: no such order"),
        ("14", "", "UNAVAILABLE"),
        ("99", "a", "UNKNOWN: a"),
    ] {
        let recorder = Recorder::new();
        let (mut sender, service) = service("application/grpc+proto", HeaderMap::new());
        let layer = InstanaClientLayer::new().grpc();
        let response = recorder
            .in_entry(layer.layer(service).oneshot(call()))
            .await;
        let mut body = response.unwrap().into_body();
        sender.send_data(Bytes::from("a")).await.unwrap();
        body.frame().await.unwrap().unwrap();
        let is_exit = |span: &RecordedSpan| span.kind() == Kind::Exit;
        assert!(!recorder.spans().iter().any(is_exit), "it is under way");
        sender.send_trailers(status(code, message)).await.unwrap();
        let trailers = body.frame().await.unwrap().unwrap();
        assert_eq!(trailers.trailers_ref().unwrap()["grpc-status"], code);
        // tonic asks for no more.
        assert_eq!(
            recorder
                .span("http", Kind::Exit)
                .text("data.http.error")
                .unwrap_or_default(),
            expected
        );
        let exit = recorder.span("http", Kind::Exit);
        assert_eq!(exit.errors(), u64::from(!expected.is_empty()));
        assert_eq!(exit.integer("data.http.status"), Some(200));
        drop(body);
    }
}

#[tokio::test]
async fn a_status_in_the_head_and_other_content_end_it_there() {
    for (content_type, head, expected) in [
        ("application/grpc", status("5", "a"), "NOT_FOUND: a"),
        ("application/grpc", status("0", ""), ""),
        ("application/json", HeaderMap::new(), ""),
        ("application/json", status("5", "a"), ""),
    ] {
        let recorder = Recorder::new();
        let (sender, service) = service(content_type, head);
        let layer = InstanaClientLayer::new().grpc();
        let response = recorder
            .in_entry(layer.layer(service).oneshot(call()))
            .await;
        assert_eq!(
            recorder
                .span("http", Kind::Exit)
                .text("data.http.error")
                .unwrap_or_default(),
            expected,
            "{content_type}"
        );
        drop((sender, response));
        assert_eq!(recorder.spans().len(), 2);
    }
}

#[tokio::test]
async fn ends_of_other_kinds() {
    // None of them is in the head.
    for (end, expected) in [
        ("ends", "UNKNOWN: no grpc-status"),
        ("fails", "connection lost"),
        ("dropped", ""),
    ] {
        let recorder = Recorder::new();
        let (mut sender, service) = service("application/grpc", HeaderMap::new());
        let layer = InstanaClientLayer::new().grpc();
        let response = recorder
            .in_entry(layer.layer(service).oneshot(call()))
            .await;
        let mut body = response.unwrap().into_body();
        sender.send_data(Bytes::from("a")).await.unwrap();
        body.frame().await.unwrap().unwrap();
        match end {
            "ends" => {
                drop(sender);
                assert!(body.frame().await.is_none());
            }
            "fails" => {
                sender.abort("connection lost".into());
                body.frame().await.unwrap().unwrap_err();
            }
            _ => drop(body),
        }
        assert_eq!(
            recorder
                .span("http", Kind::Exit)
                .text("data.http.error")
                .unwrap_or_default(),
            expected,
            "{end}"
        );
    }
}

#[tokio::test]
async fn a_call_that_fails_or_is_given_up_says_so() {
    let recorder = Recorder::new();
    let broken = service_fn(async |_: Request<Empty<Bytes>>| {
        Err::<Response<Empty<Bytes>>, BoxError>("no route".into())
    });
    let service = InstanaClientLayer::new().grpc().layer(broken);
    let result = recorder.in_entry(service.oneshot(call())).await;
    assert_eq!(result.unwrap_err().to_string(), "no route");
    assert_eq!(
        recorder
            .span("http", Kind::Exit)
            .text("data.http.error")
            .unwrap_or_default(),
        "no route"
    );

    let recorder = Recorder::new();
    let pending = service_fn(|_: Request<Empty<Bytes>>| {
        std::future::pending::<Result<Response<Empty<Bytes>>, Infallible>>()
    });
    let mut service = InstanaClientLayer::new().grpc().layer(pending);
    recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            let mut call = Box::pin(service.call(call()));
            let mut cx = TaskContext::from_waker(Waker::noop());
            assert!(matches!(call.as_mut().poll(&mut cx), Poll::Pending));
        });
    });
    assert!(
        recorder
            .span("http", Kind::Exit)
            .text("data.http.error")
            .unwrap_or_default()
            .starts_with("cancelled after ")
    );

    let recorder = Recorder::new();
    let panics = service_fn(async |_: Request<Empty<Bytes>>| {
        if true {
            panic!("on purpose");
        }
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let service = InstanaClientLayer::new().grpc().layer(panics);
    let recorded = recorder.clone();
    let task = tokio::spawn(async move { recorded.in_entry(service.oneshot(call())).await });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(
        recorder
            .span("http", Kind::Exit)
            .text("data.http.error")
            .unwrap_or_default(),
        "panicked"
    );
}
