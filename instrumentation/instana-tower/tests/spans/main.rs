//! Entries of services: from the request to the head of the response. Their
//! bodies are in `body.rs`.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod body;
mod grpc;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Empty, Full};
use instana::FutureExt;
use instana::span::Kind;
use instana::span::http::Http;
use instana::testing::{RecordedSpan, Recorder};
use instana_tower::RequestHead;
use instana_tower::{InstanaServerLayer, Server, TracedBody};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

fn layer(recorder: &Recorder) -> InstanaServerLayer {
    InstanaServerLayer::new().tracer(recorder.tracer())
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path)
        .header("host", "shop:8080")
        .body(Empty::new())
        .unwrap()
}

fn answer(status: StatusCode, body: &'static str) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .body(Full::from(body))
        .unwrap()
}

async fn hello(_: Request<Empty<Bytes>>) -> Answer {
    Ok(answer(StatusCode::OK, "hello"))
}

/// Calls the service and reads the body to its end.
async fn call<S, B, R>(service: S, request: Request<R>) -> (http::response::Parts, Bytes)
where
    S: Service<Request<R>, Response = Response<TracedBody<B>>>,
    S::Error: std::fmt::Debug,
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Display + std::fmt::Debug + 'static,
{
    let (head, body) = service.oneshot(request).await.unwrap().into_parts();
    (head, body.collect().await.unwrap().to_bytes())
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

type Streaming = Response<Channel<Bytes, BoxError>>;

/// A service that answers with a body that is sent by hand.
fn streaming(
    status: StatusCode,
) -> (
    Sender<Bytes, BoxError>,
    impl Service<Request<Empty<Bytes>>, Response = Streaming, Error = Infallible>,
) {
    let (sender, body) = Channel::new(4);
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let mut response = Some(response);
    let service = service_fn(move |_| std::future::ready(Ok(response.take().unwrap())));
    (sender, service)
}

#[tokio::test]
async fn a_request_is_an_entry_with_its_attributes() {
    let recorder = Recorder::builder()
        .service("shop")
        .extra_headers(["X-Tenant", "x-answer", "x-both"])
        .build();
    let service = layer(&recorder)
        .route(|_: RequestHead<'_>| Some("/orders/{id}".into()))
        .layer(service_fn(async |_: Request<Empty<Bytes>>| -> Answer {
            let mut response = answer(StatusCode::CREATED, "done");
            let headers = response.headers_mut();
            headers.insert("x-answer", "42".parse().unwrap());
            headers.insert("x-both", "response".parse().unwrap());
            Ok(response)
        }));
    let request = Request::post("/orders/7?id=7&secret_token=x")
        .header("host", "shop:8080")
        .header("X-Tenant", "a")
        .header("x-tenant", "b")
        .header("x-both", "request")
        .header("x-other", "unseen")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let (_, body) = call(service, request).await;
    assert_eq!(body, "done");

    let span = recorder.span("g.http", Kind::Entry);
    let text = |key: &str| span.text(&format!("data.http.{key}"));
    assert_eq!(text("method").as_deref(), Some("POST"));
    assert_eq!(text("host").as_deref(), Some("shop:8080"));
    assert_eq!(text("path").as_deref(), Some("/orders/7"));
    assert_eq!(text("path_tpl").as_deref(), Some("/orders/{id}"));
    assert_eq!(
        text("params").as_deref(),
        Some("id=7&secret_token=<redacted>")
    );
    assert_eq!(text("header.x-tenant").as_deref(), Some("a, b"));
    assert_eq!(text("header.x-answer").as_deref(), Some("42"));
    assert_eq!(text("header.x-both").as_deref(), Some("response"));
    assert!(!span.has("data.http.header.x-other"));
    assert!(!span.has("data.http.url"));
    assert_eq!(span.integer("data.http.status"), Some(201));
    assert_eq!(span.text("data.service").as_deref(), Some("shop"));
    assert_eq!(span.errors(), 0);
    assert!(!span.has("p"), "a root");
}

#[tokio::test]
async fn an_entry_continues_the_trace_of_its_headers() {
    let recorder = Recorder::new();
    let mut request = get("/");
    let headers = request.headers_mut();
    headers.insert("x-instana-t", "fa2375d711a4ca0f".parse().unwrap());
    headers.insert("x-instana-s", "37cb2d6e9b1c078a".parse().unwrap());
    let service = layer(&recorder).layer(service_fn(async |_| -> Answer {
        instana::exit_span("below").end();
        hello(get("/")).await
    }));
    let (head, _) = call(service, request).await;
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.trace(), "fa2375d711a4ca0f");
    assert_eq!(entry.parent(), "37cb2d6e9b1c078a");
    let exit = recorder.span("sdk", Kind::Exit);
    assert_eq!(exit.parent(), entry.id());
    assert_eq!(exit.trace(), entry.trace());
    assert_eq!(head.headers["server-timing"], "intid;desc=fa2375d711a4ca0f");
}

#[tokio::test]
async fn both_values_of_tracestate_are_read() {
    let recorder = Recorder::new();
    let mut request = get("/");
    let headers = request.headers_mut();
    headers.insert(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            .parse()
            .unwrap(),
    );
    headers.append("tracestate", "rojo=1".parse().unwrap());
    headers.append(
        "tracestate",
        "in=fa2375d711a4ca0f;37cb2d6e9b1c078a".parse().unwrap(),
    );
    call(layer(&recorder).layer(service_fn(hello)), request).await;
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.trace(), "8448eb211c80319c");
    assert_eq!(entry.text("ia.p").as_deref(), Some("37cb2d6e9b1c078a"));
}

#[tokio::test]
async fn a_status_from_500_on_is_an_error_and_404_is_none() {
    for (status, errors) in [(404, 0), (499, 0), (500, 1), (503, 1)] {
        let recorder = Recorder::new();
        let status = StatusCode::from_u16(status).unwrap();
        let service = service_fn(move |_| std::future::ready(Answer::Ok(answer(status, "x"))));
        call(layer(&recorder).layer(service), get("/")).await;
        let entry = recorder.span("g.http", Kind::Entry);
        assert_eq!(entry.errors(), errors, "{status}");
        assert_eq!(
            entry.integer("data.http.status"),
            Some(status.as_u16().into())
        );
    }
}

#[tokio::test]
async fn an_error_of_the_service_is_recorded_and_passed_on() {
    #[derive(Debug)]
    struct Outer(std::io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot answer")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let recorder = Recorder::new();
    let service = layer(&recorder).layer(service_fn(async |_: Request<Empty<Bytes>>| {
        let source = std::io::Error::other("postgres://me:pw@db/shop is gone");
        Err::<Response<Full<Bytes>>, BoxError>(Outer(source).into())
    }));
    let error = service.oneshot(get("/")).await.unwrap_err();
    assert!(error.is::<Outer>(), "the very error");
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.errors(), 1);
    assert!(!entry.has("data.http.status"));
    let text = entry.text("data.http.error").unwrap_or_default();
    assert!(
        text.starts_with("cannot answer: postgres://") && !text.contains("pw"),
        "{text}"
    );
}

#[tokio::test]
async fn a_request_dropped_before_its_head_is_an_error_without_a_status() {
    struct InSpan(Recorder);
    impl Drop for InSpan {
        fn drop(&mut self) {
            instana::current(|span| span.tag("dropped", "inside"));
            assert!(self.0.spans().is_empty());
        }
    }
    let recorder = Recorder::new();
    let seen = recorder.clone();
    let mut service = layer(&recorder).layer(service_fn(move |_: Request<Empty<Bytes>>| {
        let guard = InSpan(seen.clone());
        async move {
            let _guard = guard;
            std::future::pending::<Answer>().await
        }
    }));
    let mut future = Box::pin(service.call(get("/")));
    assert!(poll(future.as_mut()).is_pending());
    assert!(recorder.spans().is_empty());
    drop(future);
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.errors(), 1);
    let text = entry.text("data.http.error").unwrap_or_default();
    assert!(
        text.starts_with("cancelled after ") && text.ends_with(" ms"),
        "{text}"
    );
    assert!(!entry.has("data.http.status"));
    assert_eq!(
        entry.text("data.sdk.custom.tags.dropped").as_deref(),
        Some("inside")
    );
}

#[tokio::test]
async fn a_panic_is_an_error_with_status_500_and_goes_on() {
    let calls: [fn() -> bool; 2] = [|| true, || false];
    for at_once in calls {
        let recorder = Recorder::new();
        let service = layer(&recorder).layer(service_fn(move |_: Request<Empty<Bytes>>| {
            if at_once() {
                panic!("on purpose");
            }
            async { panic!("on purpose") as Answer }
        }));
        let result = tokio::spawn(service.oneshot(get("/"))).await;
        assert!(result.unwrap_err().is_panic());
        let entry = recorder.span("g.http", Kind::Entry);
        assert_eq!(entry.errors(), 1);
        assert_eq!(
            entry.text("data.http.error").unwrap_or_default(),
            "panicked"
        );
        assert_eq!(entry.integer("data.http.status"), Some(500));
    }
}

#[test]
fn types_are_as_free_as_those_they_wrap() {
    fn check<T: Clone + Send + Sync + Unpin>() {}
    fn check_body<T: Default + Send + Sync + Unpin>() {}
    fn check_future<T: Send + Sync + Unpin>() {}
    check::<InstanaServerLayer>();
    check::<Server<()>>();
    check::<instana_tower::Client<()>>();
    check_body::<TracedBody<Full<Bytes>>>();
    check_future::<instana_tower::ResponseFuture<std::future::Ready<()>>>();
}

#[tokio::test]
async fn stacked_layers_record_one_entry_and_the_inner_knows_the_route() {
    let recorder = Recorder::new();
    let inner = InstanaServerLayer::new()
        .route(|_: RequestHead<'_>| Some("/orders/{id}".into()))
        .layer(service_fn(hello));
    let (head, _) = call(layer(&recorder).layer(inner), get("/orders/7")).await;
    assert_eq!(head.headers.get_all("server-timing").iter().count(), 1);
    assert_eq!(recorder.spans().len(), 1);
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(
        entry.text("data.http.path_tpl").as_deref(),
        Some("/orders/{id}")
    );
}

#[tokio::test]
async fn a_route_found_below_a_span_of_a_middleware_is_not_that_spans() {
    let recorder = Recorder::new();
    let inner = InstanaServerLayer::new()
        .route(|_: RequestHead<'_>| Some("/orders/{id}".into()))
        .layer(service_fn(hello));
    let middleware = service_fn(move |request| {
        let span = instana::span("authorize");
        inner.clone().oneshot(request).in_span(span)
    });
    call(layer(&recorder).layer(middleware), get("/orders/7")).await;
    assert_eq!(recorder.spans().len(), 2);
    assert!(!recorder.span("sdk", Kind::Intermediate).has("data.http"));
}

#[tokio::test]
async fn a_handler_can_set_the_template_and_a_plain_path_is_none() {
    let recorder = Recorder::new();
    let service = layer(&recorder).layer(service_fn(async |request| {
        instana::current(|span| {
            Http::record(span, |http| {
                http.path_tpl("/late/{id}");
            });
        });
        hello(request).await
    }));
    call(service, get("/late/1")).await;
    let span = recorder.span("g.http", Kind::Entry);
    assert_eq!(
        span.text("data.http.path_tpl").as_deref(),
        Some("/late/{id}")
    );

    recorder.clear();
    let service = layer(&recorder)
        .route(|request: RequestHead<'_>| Some(request.uri.path().into()))
        .layer(service_fn(hello));
    call(service, get("/health")).await;
    assert!(
        !recorder
            .span("g.http", Kind::Entry)
            .has("data.http.path_tpl")
    );
}

#[tokio::test]
async fn server_timing_joins_what_the_application_said() {
    for (own, expected) in [
        (None, "intid;desc="),
        (Some("db;dur=53"), "db;dur=53, intid;desc="),
        (Some("intid;desc=1"), "intid;desc=1"),
    ] {
        let recorder = Recorder::new();
        let service = service_fn(move |_| {
            let mut response = answer(StatusCode::OK, "");
            if let Some(own) = own {
                response
                    .headers_mut()
                    .insert("server-timing", own.parse().unwrap());
            }
            std::future::ready(Answer::Ok(response))
        });
        let (head, _) = call(layer(&recorder).layer(service), get("/")).await;
        let value = head.headers["server-timing"].to_str().unwrap();
        assert!(value.starts_with(expected), "{value}");
        assert_eq!(
            value.len(),
            expected.len() + if expected.ends_with('=') { 16 } else { 0 }
        );

        let off = layer(&recorder).server_timing(false).layer(service);
        let (head, _) = call(off, get("/")).await;
        assert_eq!(
            head.headers
                .get("server-timing")
                .map(|v| v.to_str().unwrap()),
            own
        );
    }
}

#[tokio::test]
async fn a_suppressed_request_runs_suppressed_to_the_end_of_its_body() {
    struct Tells;
    impl Body for Tells {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut TaskContext<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            assert!(instana::Context::current().is_suppressed());
            Poll::Ready(None)
        }
    }
    let recorder = Recorder::new();
    let service = layer(&recorder)
        .route(|_: RequestHead<'_>| unreachable!("nothing is recorded"))
        .layer(service_fn(async |_| {
            assert!(instana::Context::current().is_suppressed());
            instana::exit_span("below").end();
            Ok::<_, Infallible>(Response::new(Tells))
        }));
    let mut request = get("/");
    request
        .headers_mut()
        .insert("x-instana-l", "0".parse().unwrap());
    let (head, _) = call(service, request).await;
    assert!(!head.headers.contains_key("server-timing"));
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn an_ignored_request_is_suppressed() {
    let recorder = Recorder::new();
    let service = layer(&recorder)
        .ignore(|request| request.uri.path() == "/health")
        .layer(service_fn(async |request| {
            instana::exit_span("below").end();
            hello(request).await
        }));
    call(service.clone(), get("/health")).await;
    assert!(recorder.spans().is_empty());
    call(service, get("/orders")).await;
    assert_eq!(recorder.spans().len(), 2);
}

#[tokio::test]
async fn without_a_tracer_the_service_works_as_ever() {
    let service = Server::from(service_fn(async |request| {
        assert_eq!(instana::Context::current().trace_id(), None);
        hello(request).await
    }));
    let (head, body) = call(service, get("/")).await;
    assert!(head.headers.is_empty());
    assert_eq!(body, "hello");
}

#[tokio::test]
async fn the_tracer_of_the_context_goes_before_that_of_the_layer() {
    let (of_layer, of_context) = (Recorder::new(), Recorder::new());
    let service = layer(&of_layer).layer(service_fn(hello));
    of_context.scope(call(service, get("/"))).await;
    assert!(of_layer.spans().is_empty());
    assert_eq!(of_context.spans().len(), 1);
}

#[tokio::test]
async fn an_entry_of_http_2_has_its_authority_as_host() {
    let recorder = Recorder::new();
    let request = Request::get("http://me:pw@shop:8443/x")
        .body(Empty::<Bytes>::new())
        .unwrap();
    call(layer(&recorder).layer(service_fn(hello)), request).await;
    let span = recorder.span("g.http", Kind::Entry);
    assert_eq!(span.text("data.http.host").as_deref(), Some("shop:8443"));
    assert_eq!(span.text("data.http.path").as_deref(), Some("/x"));
}
