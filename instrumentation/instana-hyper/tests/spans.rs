//! Entries and exits of hyper, over HTTP/1.1 and HTTP/2.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use instana::FutureExt;
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use instana_hyper::server::RequestHead;
use instana_hyper::{client, server};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

type Stream = Channel<Bytes, Infallible>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    Http1,
    Http2,
}

const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];

/// A connection, and what its one request is answered with.
struct Connection {
    client: Client,
    recorder: Recorder,
    host: String,
    body: Option<Sender<Bytes, Infallible>>,
    called: oneshot::Receiver<()>,
    dropped: oneshot::Receiver<()>,
}

enum Client {
    Http1(client::http1::SendRequest<Empty<Bytes>>),
    Http2(client::http2::SendRequest<Empty<Bytes>>),
}

/// Given to one call of the service; the last tells when it was dropped.
type Script = (Stream, oneshot::Sender<()>, oneshot::Sender<()>);

async fn serve(
    request: Request<Incoming>,
    script: Arc<Mutex<Option<Script>>>,
) -> Result<Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>, String> {
    instana::exit_span("below").end();
    let (body, called, dropped) = script.lock().unwrap().take().unwrap();
    called.send(()).unwrap();
    let body = body.map_frame(move |frame| {
        let _goes_with_the_body = &dropped;
        frame
    });
    let mut response = Response::new(BodyExt::boxed(body));
    match request.uri().path() {
        "/slow" => std::future::pending().await,
        "/fails" => return Err("broken".to_owned()),
        "/panics" => panic!("on purpose"),
        "/500" => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        "/103" => *response.status_mut() = StatusCode::EARLY_HINTS,
        "/length" => header(&mut response, "content-length", "100"),
        "/events" => header(&mut response, "content-type", "text/event-stream"),
        "/grpc" => {
            header(&mut response, "content-type", "application/grpc");
            header(&mut response, "grpc-status", "5");
            header(&mut response, "grpc-message", "no%20such order");
        }
        _ => {}
    }
    Ok(response)
}

fn header<B>(response: &mut Response<B>, name: &'static str, value: &'static str) {
    response.headers_mut().insert(name, value.parse().unwrap());
}

async fn connect(version: Version) -> Connection {
    let recorder = Recorder::new();
    let (body, stream) = Channel::new(4);
    let (call, called) = oneshot::channel();
    let (drop, dropped) = oneshot::channel();
    let script = Arc::new(Mutex::new(Some((stream, call, drop))));
    let service = server::Traced::new(service_fn(move |request| serve(request, script.clone())))
        .tracer(recorder.tracer())
        .route(|request: RequestHead<'_>| {
            request
                .uri
                .path()
                .starts_with("/items/")
                .then(|| "/items/{id}".into())
        })
        .ignore(|request| request.uri.path() == "/health");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let io = TokioIo::new(listener.accept().await.unwrap().0);
        // A connection that ends early is what some tests are about.
        let _ = match version {
            Version::Http1 => {
                let builder = hyper::server::conn::http1::Builder::new();
                builder.serve_connection(io, service).await
            }
            Version::Http2 => {
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                builder.serve_connection(io, service).await
            }
        };
    });
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let client = match version {
        Version::Http1 => {
            let (sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(connection);
            Client::Http1(sender.into())
        }
        Version::Http2 => {
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
            let (sender, connection) = handshake.await.unwrap();
            tokio::spawn(connection);
            Client::Http2(sender.into())
        }
    };
    Connection {
        client,
        recorder,
        host: address.to_string(),
        body: Some(body),
        called,
        dropped,
    }
}

impl Connection {
    fn request(&self, path: &str) -> Request<Empty<Bytes>> {
        let request = match &self.client {
            Client::Http1(_) => Request::get(path).header("host", &self.host),
            Client::Http2(_) => Request::get(format!("http://{}{path}", self.host)),
        };
        request.body(Empty::new()).unwrap()
    }

    async fn send(&mut self, path: &str) -> Result<Response<Incoming>, hyper::Error> {
        let request = self.request(path);
        match &mut self.client {
            Client::Http1(client) => client.send_request(request).await,
            Client::Http2(client) => client.send_request(request).await,
        }
    }

    fn finish_body(&mut self) {
        self.body = None;
    }

    fn entry(&self) -> RecordedSpan {
        self.recorder.span("g.http", Kind::Entry)
    }

    fn entry_error(&self) -> String {
        self.entry().text("data.http.error").unwrap_or_default()
    }
}

#[tokio::test]
async fn a_request_is_an_exit_here_and_an_entry_there() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let recorder = Recorder::new();
        connection.finish_body();
        let response = recorder
            .in_entry(connection.send("/items/7?id=7&key=x"))
            .await;
        let response = response.unwrap();
        assert!(response.headers().contains_key("server-timing"));
        response.into_body().collect().await.unwrap();

        let (exit, entry) = (recorder.span("http", Kind::Exit), connection.entry());
        assert_eq!(entry.trace(), exit.trace(), "{version:?}");
        assert_eq!(entry.parent(), exit.id());
        assert_eq!(
            connection.recorder.span("sdk", Kind::Exit).parent(),
            entry.id()
        );
        let text = |span: &RecordedSpan, key: &str| span.text(&format!("data.http.{key}")).unwrap();
        assert_eq!(
            text(&exit, "url"),
            format!("http://{}/items/7", connection.host)
        );
        assert_eq!(text(&entry, "host"), connection.host);
        assert_eq!(text(&entry, "path"), "/items/7");
        assert_eq!(text(&entry, "path_tpl"), "/items/{id}");
        for span in [&exit, &entry] {
            assert_eq!(text(span, "method"), "GET");
            assert_eq!(text(span, "params"), "id=7&key=<redacted>");
            assert_eq!(span.integer("data.http.status"), Some(200));
            assert_eq!(span.errors(), 0);
        }
    }
}

#[tokio::test]
async fn a_streaming_body_stays_streaming_and_ends_the_entry() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let mut response = connection.send("/").await.unwrap();
        for chunk in ["first", "second"] {
            assert!(
                connection
                    .recorder
                    .spans()
                    .iter()
                    .all(|span| span.kind() == Kind::Exit)
            );
            let body = connection.body.as_mut().unwrap();
            body.send_data(Bytes::from(chunk)).await.unwrap();
            let frame = response.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), chunk, "{version:?}");
        }
        connection.finish_body();
        let rest = response.into_body().collect().await.unwrap();
        assert!(rest.to_bytes().is_empty());
        assert_eq!(connection.entry().errors(), 0, "{version:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_cancels_the_request() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let recorder = Recorder::new();
        let request = connection.request("/slow");
        let sending: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
            match &mut connection.client {
                Client::Http1(client) => recorder.enter(|| {
                    instana::entry_span("job").enter(|| Box::pin(client.send_request(request)) as _)
                }),
                Client::Http2(client) => recorder.enter(|| {
                    instana::entry_span("job").enter(|| Box::pin(client.send_request(request)) as _)
                }),
            };
        tokio::select! {
            biased;
            result = sending => unreachable!("no answer: {:?}", Result::<Response<Incoming>, hyper::Error>::map(result, |_| ())),
            called = &mut connection.called => called.unwrap(),
        }
        let recorded = connection.recorder.clone();
        drop(connection.client);
        assert!(connection.dropped.await.is_err());
        let entry = recorded.span("g.http", Kind::Entry);
        let error = entry.text("data.http.error").unwrap();
        assert!(error.starts_with("cancelled after "), "{version:?} {error}");
        assert!(!entry.has("data.http.status"));

        let exit = recorder.span("http", Kind::Exit);
        let error = exit.text("data.http.error").unwrap();
        assert!(error.starts_with("cancelled after "), "{version:?} {error}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_within_a_body_of_known_length_is_an_error() {
    for version in VERSIONS {
        for (path, error) in [
            ("/length", " ms, 5 of 100 bytes sent"),
            ("/events", ""),
            ("/", ""),
        ] {
            let mut connection = connect(version).await;
            let mut response = connection.send(path).await.unwrap();
            let mut body = connection.body.take().unwrap();
            body.send_data(Bytes::from("first")).await.unwrap();
            response.frame().await.unwrap().unwrap();
            drop(response);
            drop(connection.client);
            assert!(connection.dropped.await.is_err());
            let entry = connection.recorder.span("g.http", Kind::Entry);
            let text = entry.text("data.http.error").unwrap_or_default();
            assert!(text.ends_with(error), "{version:?} {path}: {text}");
            assert_eq!(
                text.is_empty(),
                error.is_empty(),
                "{version:?} {path}: {text}"
            );
            assert_eq!(entry.integer("data.http.status"), Some(200));
        }
    }
}

#[tokio::test]
async fn a_body_that_ends_before_its_length_is_an_error() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let mut body = connection.body.take().unwrap();
        body.send_data(Bytes::from("first")).await.unwrap();
        drop(body);
        let response = connection.send("/length").await;
        if let Ok(response) = response {
            assert!(response.into_body().collect().await.is_err(), "{version:?}");
        }
        assert_eq!(
            connection.entry_error(),
            "response body ended after 5 of 100 bytes"
        );
    }
}

#[tokio::test]
async fn a_status_that_is_no_answer_is_recorded_as_what_the_client_got() {
    let mut connection = connect(Version::Http1).await;
    let response = connection.send("/103").await.unwrap();
    let sent = response.status().as_u16();
    let entry = connection.entry();
    assert_eq!(entry.integer("data.http.status"), Some(sent.into()));
    assert_eq!((sent, entry.errors()), (500, 1));
}

#[tokio::test]
async fn a_status_of_grpc_in_the_head_is_an_error_on_both_sides() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let recorder = Recorder::new();
        connection.finish_body();
        let response = recorder.in_entry(connection.send("/grpc")).await;
        response.unwrap().into_body().collect().await.unwrap();
        let exit = recorder.span("http", Kind::Exit);
        for span in [connection.entry(), exit] {
            let error = span.text("data.http.error").unwrap_or_default();
            assert_eq!(error, "NOT_FOUND: no such order", "{version:?}");
            assert_eq!(span.errors(), 1);
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_told_where_it_leads_says_so() {
    let origin = http::Uri::from_static("https://Stock:443");
    for version in VERSIONS {
        let mut connection = connect(version).await;
        connection.client = match connection.client {
            Client::Http1(client) => Client::Http1(client.origin(origin.clone())),
            Client::Http2(client) => Client::Http2(client.origin(origin.clone())),
        };
        let recorder = Recorder::new();
        connection.finish_body();
        let request = Request::get("/items/7").body(Empty::new()).unwrap();
        let call = async {
            // What has no host is not sent by HTTP/2; here it is recorded all the same.
            let _ = match &mut connection.client {
                Client::Http1(client) => client.send_request(request).await,
                Client::Http2(client) => client.send_request(request).await,
            };
        };
        recorder.in_entry(call).await;
        let exit = recorder.span("http", Kind::Exit);
        assert_eq!(exit.text("data.http.url").unwrap(), "https://stock/items/7");
    }
}

#[tokio::test]
async fn a_client_that_leaves_after_the_body_is_no_error() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        connection.finish_body();
        let response = connection.send("/").await.unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(connection.entry().errors(), 0, "{version:?}");
    }
}

#[tokio::test]
async fn an_error_of_the_service_is_recorded_on_both_sides() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let recorder = Recorder::new();
        let result = recorder.in_entry(connection.send("/fails")).await;
        result.unwrap_err();
        assert_eq!(connection.entry_error(), "broken");
        assert!(!connection.entry().has("data.http.status"));
        let exit = recorder.span("http", Kind::Exit);
        assert_eq!(exit.errors(), 1);
        assert!(exit.has("data.http.error"), "{}", exit.json());
    }
}

#[tokio::test]
async fn a_status_of_500_is_an_error_on_both_sides() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let recorder = Recorder::new();
        connection.finish_body();
        let response = recorder.in_entry(connection.send("/500")).await.unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(connection.entry().errors(), 1);
        assert_eq!(recorder.span("http", Kind::Exit).errors(), 1);
    }
}

#[tokio::test]
async fn a_panic_of_the_service_is_an_error() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        connection.send("/panics").await.unwrap_err();
        assert_eq!(connection.entry_error(), "panicked", "{version:?}");
        assert_eq!(connection.entry().integer("data.http.status"), Some(500));
    }
}

#[tokio::test]
async fn an_ignored_or_suppressed_request_records_nothing() {
    for version in VERSIONS {
        for path in ["/health", "/"] {
            let mut connection = connect(version).await;
            let recorder = Recorder::new();
            connection.finish_body();
            let call = async {
                let incoming = instana::propagation::Incoming::suppressed();
                let entry = instana::Span::entry(&instana::span::http::ENTRY, &incoming);
                connection.send(path).in_span(entry).await
            };
            let response = if path == "/" {
                recorder.scope(call).await
            } else {
                drop(call);
                connection.send(path).await
            };
            let response = response.unwrap();
            assert!(!response.headers().contains_key("server-timing"));
            response.into_body().collect().await.unwrap();
            assert!(connection.recorder.spans().is_empty(), "{version:?} {path}");
            assert!(recorder.spans().is_empty());
        }
    }
}

#[tokio::test]
async fn without_a_tracer_service_and_client_work_as_ever() {
    let service = server::Traced::from(client::Traced::from(service_fn(
        async |request: Request<Empty<Bytes>>| {
            assert!(request.headers().is_empty());
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        },
    )));
    let response = service.call(Request::new(Empty::new())).await.unwrap();
    assert!(response.headers().is_empty());
}

#[tokio::test]
async fn a_client_service_is_an_exit() {
    let recorder = Recorder::new();
    let service = client::Traced::new(service_fn(async |request: Request<Empty<Bytes>>| {
        let mut response = Response::new(Empty::<Bytes>::new());
        *response.headers_mut() = request.headers().clone();
        Ok::<_, Infallible>(response)
    }));
    let request = Request::get("http://stock/items/7")
        .extension(client::PathTemplate::new("/items/{id}"))
        .body(Empty::new())
        .unwrap();
    let call = async { service.call(request).await };
    let response = recorder.in_entry(call).await.unwrap();
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(response.headers()["x-instana-s"], exit.id());
    assert_eq!(
        exit.text("data.http.path_tpl").as_deref(),
        Some("/items/{id}")
    );
}

#[tokio::test]
async fn a_request_that_comes_back_is_an_exit_with_an_error() {
    let mut connection = connect(Version::Http1).await;
    let recorder = Recorder::new();
    // The connection is busy with the first.
    let first = connection.request("/slow");
    let second = connection.request("/");
    let Client::Http1(client) = &mut connection.client else {
        unreachable!("HTTP/1.1")
    };
    let _first = client.send_request(first);
    let call = async { client.try_send_request(second).await };
    let mut error = recorder.in_entry(call).await.unwrap_err();
    assert!(error.take_message().is_some(), "the very request");
    assert_eq!(recorder.span("http", Kind::Exit).errors(), 1);
}

#[tokio::test]
async fn the_pooled_client_is_an_exit_for_every_call() {
    use hyper_util::client::legacy;

    let recorder = Recorder::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let io = TokioIo::new(listener.accept().await.unwrap().0);
        let service = service_fn(async |request: Request<Incoming>| {
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.headers_mut() = request.headers().clone();
            Ok::<_, Infallible>(response)
        });
        let builder = hyper::server::conn::http1::Builder::new();
        let _ = builder.serve_connection(io, service).await;
    });
    let pooled = legacy::Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let client = client::legacy::Client::from(pooled);
    let uri: http::Uri = format!("http://{address}/items/7").parse().unwrap();
    let call = async { client.get(uri).await };
    let response = recorder.in_entry(call).await.unwrap();
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(response.headers()["x-instana-s"], exit.id());
    assert_eq!(
        exit.text("data.http.url").unwrap(),
        format!("http://{address}/items/7")
    );

    recorder.clear();
    let refused: http::Uri = "http://127.0.0.1:1/".parse().unwrap();
    let call = async { client.get(refused).await };
    let error: legacy::Error = recorder.in_entry(call).await.unwrap_err();
    assert!(error.is_connect());
    let text = recorder
        .span("http", Kind::Exit)
        .text("data.http.error")
        .unwrap();
    assert_eq!(
        text,
        "client error (Connect): tcp connect error: Connection refused (os error 111)"
    );
}

#[tokio::test]
async fn below_an_exit_a_call_carries_the_ids_of_the_exit() {
    for version in VERSIONS {
        let mut connection = connect(version).await;
        let recorder = Recorder::new();
        connection.finish_body();
        let call = async {
            let outer = instana::exit_span("stock");
            connection.send("/items/7").in_span(outer).await
        };
        let response = recorder.in_entry(call).await.unwrap();
        response.into_body().collect().await.unwrap();
        let (exit, entry) = (recorder.span("sdk", Kind::Exit), connection.entry());
        assert_eq!(
            recorder.spans().len(),
            2,
            "{version:?}: the job and its exit"
        );
        assert_eq!((entry.trace(), entry.parent()), (exit.trace(), exit.id()));
    }
}

/// As a current-thread runtime in a span does it.
#[tokio::test]
async fn inside_of_a_job_each_request_of_a_connection_has_its_own_trace() {
    let recorder = Recorder::new();
    let service = || {
        let inner = server::Traced::new(service_fn(async |_: Request<Incoming>| {
            instana::exit_span("below").end();
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }));
        // Layers of one request know each other here, too.
        server::Traced::new(inner.route(|_: RequestHead<'_>| Some("/items/{id}".into())))
    };
    let (client, server) = tokio::io::duplex(4_096);
    let serve = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(server), service());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(client))
        .await
        .unwrap();
    tokio::spawn(connection);
    let call = async move {
        for span in ["cd", "ef"] {
            let request = Request::get("/items/7")
                .header("x-instana-t", "ab")
                .header("x-instana-s", span);
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let response = sender.send_request(request).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
    };
    let job = async {
        let job = instana::entry_span("job");
        let both = async { tokio::join!(serve, call).0 };
        both.in_span(job).await.unwrap();
    };
    recorder.scope(job).await;
    let spans = recorder.spans();
    let entries: Vec<_> = spans
        .iter()
        .filter(|span| span.name() == "g.http")
        .collect();
    assert_eq!(entries.len(), 2);
    for (entry, parent) in entries.into_iter().zip(["cd", "ef"]) {
        assert_eq!(entry.trace(), "00000000000000ab");
        assert!(entry.parent().ends_with(parent));
        assert_eq!(
            entry.text("data.http.path_tpl").as_deref(),
            Some("/items/{id}")
        );
        assert_eq!(recorder.children(entry).len(), 1);
    }
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn a_request_that_a_gateway_sends_on_is_another_call() {
    let recorder = Recorder::new();
    let stock = service_fn(async |_: Request<Empty<Bytes>>| {
        instana::exit_span("below").end();
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let stock = server::Traced::new(stock).tracer(recorder.tracer());
    let stock = client::Traced::new(stock);
    let gateway = service_fn(|mut request: Request<Empty<Bytes>>| {
        *request.uri_mut() = http::Uri::from_static("http://stock/items/7");
        stock.call(request)
    });
    let gateway = server::Traced::new(gateway).tracer(recorder.tracer());
    let request = Request::get("/gateway").body(Empty::new()).unwrap();
    let response = gateway.call(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    let mut spans = recorder.spans();
    let (exit, below) = (recorder.labelled("http"), recorder.labelled("below"));
    spans.retain(|span| span.name() == "g.http");
    spans.sort_by_key(|span| !span.parent().is_empty());
    let [outer, inner] = spans.try_into().unwrap();
    let parents = [exit.parent(), inner.parent(), below.parent()];
    assert_eq!(parents, [outer.id(), exit.id(), inner.id()]);
    let path = inner.text("data.http.path");
    assert_eq!(path.as_deref(), Some("/items/7"));
    assert_eq!(recorder.unrecorded(), []);
}
