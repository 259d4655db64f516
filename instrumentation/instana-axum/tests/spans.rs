//! Entries of routers.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{Request, StatusCode, header};
use axum::routing::{any, get};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use instana::span::Kind;
use instana::testing::Recorder;
use instana_axum::InstanaLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tower::ServiceExt;

fn layer(recorder: &Recorder) -> InstanaLayer {
    InstanaLayer::new().tracer(recorder.tracer())
}

fn request(path: &str) -> Request<Body> {
    Request::get(path)
        .header(header::HOST, "shop")
        .body(Body::empty())
        .unwrap()
}

async fn call(router: Router, request: Request<Body>) -> (StatusCode, Bytes) {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    (head.status, body.collect().await.unwrap().to_bytes())
}

/// The template that is recorded for a request to `path`.
async fn template(router: Router, path: &str) -> Option<String> {
    let recorder = Recorder::new();
    call(router.layer(layer(&recorder)), request(path)).await;
    recorder
        .span("g.http", Kind::Entry)
        .text("data.http.path_tpl")
}

#[tokio::test]
async fn a_route_is_an_entry_with_its_template() {
    let recorder = Recorder::new();
    let router = Router::new()
        .route(
            "/orders/{id}",
            get(async |Path(id): Path<u32>| id.to_string()),
        )
        .layer(layer(&recorder));
    let (status, body) = call(router, request("/orders/7?key=x")).await;
    assert_eq!((status, body), (StatusCode::OK, Bytes::from("7")));
    let entry = recorder.span("g.http", Kind::Entry);
    let text = |key: &str| entry.text(&format!("data.http.{key}")).unwrap_or_default();
    assert_eq!(text("method"), "GET");
    assert_eq!(text("host"), "shop");
    assert_eq!(text("path"), "/orders/7");
    assert_eq!(text("path_tpl"), "/orders/{id}");
    assert_eq!(text("params"), "key=<redacted>");
    assert_eq!(entry.integer("data.http.status"), Some(200));
    assert_eq!(entry.errors(), 0);
}

#[tokio::test]
async fn nested_routers_have_the_whole_template_and_fallbacks_none() {
    let shop = || {
        let orders = Router::new().route("/{id}/items/{item}", any(async || "item"));
        let admin = Router::new().route("/users/{user}", any(async || "user"));
        Router::new()
            .nest("/shops/{shop}/orders", orders)
            .nest_service("/admin", admin)
            .route("/files/{*path}", any(async || "file"))
            .route("/health", any(async || "fine"))
            .fallback(async || StatusCode::NOT_FOUND)
    };
    for (path, expected) in [
        (
            "/shops/3/orders/7/items/1",
            Some("/shops/{shop}/orders/{id}/items/{item}"),
        ),
        ("/files/a/b", Some("/files/{*path}")),
        ("/health", None),
        ("/nowhere", None),
        // Only the inner router of a nested service knows the route.
        ("/admin/users/1", None),
    ] {
        assert_eq!(template(shop(), path).await.as_deref(), expected, "{path}");
    }
}

#[tokio::test]
async fn a_nested_service_with_a_layer_of_its_own_tells_its_template() {
    let recorder = Recorder::new();
    let admin = Router::new()
        .route("/users/{user}", any(async || "user"))
        .layer(InstanaLayer::new());
    let router = Router::new()
        .nest_service("/admin", admin)
        .layer(layer(&recorder));
    call(router, request("/admin/users/1")).await;
    assert_eq!(recorder.spans().len(), 1);
    assert_eq!(
        recorder
            .span("g.http", Kind::Entry)
            .text("data.http.path_tpl")
            .as_deref(),
        Some("/admin/users/{user}")
    );
}

#[tokio::test]
async fn inside_of_a_nested_router_the_path_is_that_of_the_request() {
    let recorder = Recorder::new();
    let orders = || {
        Router::new()
            .route("/orders/{id}", any(async || "order"))
            .route("/health", any(async || "fine"))
            .layer(layer(&recorder))
    };
    let router = Router::new()
        .nest("/shop", orders())
        .nest_service("/admin", orders());
    for (path, template) in [
        ("/shop/orders/7", Some("/shop/orders/{id}")),
        ("/admin/orders/7", Some("/admin/orders/{id}")),
        ("/shop/health", None),
    ] {
        recorder.clear();
        call(router.clone(), request(path)).await;
        let entry = recorder.span("g.http", Kind::Entry);
        assert_eq!(entry.text("data.http.path").as_deref(), Some(path));
        assert_eq!(entry.text("data.http.path_tpl").as_deref(), template);
    }
}

#[tokio::test]
async fn an_entry_continues_the_trace_that_came_in() {
    let recorder = Recorder::new();
    let router = Router::new()
        .route(
            "/",
            get(async || {
                instana::exit_span("below").end();
            }),
        )
        .layer(layer(&recorder));
    let mut request = request("/");
    let headers = request.headers_mut();
    headers.insert("x-instana-t", "fa2375d711a4ca0f".parse().unwrap());
    headers.insert("x-instana-s", "37cb2d6e9b1c078a".parse().unwrap());
    call(router, request).await;
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.trace(), "fa2375d711a4ca0f");
    assert_eq!(entry.parent(), "37cb2d6e9b1c078a");
    assert_eq!(recorder.span("sdk", Kind::Exit).parent(), entry.id());
}

#[tokio::test]
async fn an_error_of_the_handler_is_its_status() {
    for (path, status, errors) in [("/fails", 500, 1), ("/missing", 404, 0)] {
        let recorder = Recorder::new();
        let router = Router::new()
            .route("/fails", get(async || StatusCode::INTERNAL_SERVER_ERROR))
            .fallback(async || StatusCode::NOT_FOUND)
            .layer(layer(&recorder));
        call(router, request(path)).await;
        let entry = recorder.span("g.http", Kind::Entry);
        assert_eq!(entry.integer("data.http.status"), Some(status));
        assert_eq!(entry.errors(), errors);
    }
}

#[tokio::test]
async fn a_panic_of_the_handler_is_an_error() {
    let recorder = Recorder::new();
    let router = Router::new()
        .route("/", get(async || -> StatusCode { panic!("on purpose") }))
        .layer(layer(&recorder));
    let task = tokio::spawn(router.oneshot(request("/")));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(
        recorder
            .span("g.http", Kind::Entry)
            .text("data.http.error")
            .unwrap_or_default(),
        "panicked"
    );
    assert_eq!(
        recorder
            .span("g.http", Kind::Entry)
            .integer("data.http.status"),
        Some(500)
    );
}

#[tokio::test]
async fn an_ignored_or_suppressed_request_records_nothing() {
    let recorder = Recorder::new();
    let router = Router::new()
        .route("/health", get(async || "fine"))
        .route("/", get(async || instana::exit_span("below").end()))
        .layer(layer(&recorder).ignore(|request| request.uri.path() == "/health"));
    call(router.clone(), request("/health")).await;
    let mut suppressed = request("/");
    suppressed
        .headers_mut()
        .insert("x-instana-l", "0".parse().unwrap());
    call(router, suppressed).await;
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn without_a_tracer_the_router_works_as_ever() {
    let router = Router::new()
        .route("/", get(async || "hello"))
        .layer(InstanaLayer::new());
    let response = router.oneshot(request("/")).await.unwrap();
    assert!(!response.headers().contains_key("server-timing"));
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
}

/// A server whose handlers tell when they were dropped.
struct Server {
    client: TcpStream,
    recorder: Recorder,
    body: Sender<Bytes, Infallible>,
    called: oneshot::Receiver<()>,
    dropped: oneshot::Receiver<()>,
}

async fn server() -> Server {
    let recorder = Recorder::new();
    let (body, stream) = Channel::<Bytes, Infallible>::new(4);
    let (call, called) = oneshot::channel();
    let (drop, dropped) = oneshot::channel::<()>();
    let once = Arc::new(Mutex::new(Some((stream, call, drop))));
    let take = move || once.lock().unwrap().take().unwrap();
    let take_slow = take.clone();
    let take_length = take.clone();
    let router = Router::new()
        .route(
            "/slow",
            get(async move || {
                let (_stream, call, _drop) = take_slow();
                call.send(()).unwrap();
                std::future::pending::<()>().await;
            }),
        )
        .route(
            "/length",
            get(async move || {
                let (stream, call, drop) = take_length();
                call.send(()).unwrap();
                let stream = stream.map_frame(move |frame| {
                    let _ = &drop;
                    frame
                });
                ([(header::CONTENT_LENGTH, "100")], Body::new(stream))
            }),
        )
        .route(
            "/stream",
            get(async move || {
                let (stream, call, drop) = take();
                call.send(()).unwrap();
                // The sender goes with the body.
                let stream = stream.map_frame(move |frame| {
                    let _ = &drop;
                    frame
                });
                Body::new(stream)
            }),
        )
        .layer(layer(&recorder));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    Server {
        client: TcpStream::connect(address).await.unwrap(),
        recorder,
        body,
        called,
        dropped,
    }
}

impl Server {
    async fn send(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n");
        self.client.write_all(request.as_bytes()).await.unwrap();
    }

    async fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.contains(end) {
            let mut bytes = [0; 1024];
            let read = self.client.read(&mut bytes).await.unwrap();
            assert_ne!(read, 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(bytes.get(..read).unwrap()));
        }
        text
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_cancels_the_request() {
    let mut server = server().await;
    server.send("/slow").await;
    server.called.await.unwrap();
    assert!(server.recorder.spans().is_empty());
    drop(server.client);
    assert!(server.dropped.await.is_err());
    let text = server
        .recorder
        .span("g.http", Kind::Entry)
        .text("data.http.error")
        .unwrap_or_default();
    assert!(text.starts_with("cancelled after "), "{text}");
    assert!(
        !server
            .recorder
            .span("g.http", Kind::Entry)
            .has("data.http.status")
    );
}

#[tokio::test]
async fn a_client_that_leaves_within_the_body_is_an_error_where_its_length_is_known() {
    for (path, end) in [("/length", " ms, 5 of 100 bytes sent"), ("/stream", "")] {
        let mut server = server().await;
        server.send(path).await;
        server.body.send_data(Bytes::from("first")).await.unwrap();
        let text = server.read_until("first").await;
        assert!(text.contains("server-timing: intid;desc="), "{text}");
        drop(server.client);
        assert!(server.dropped.await.is_err());
        let text = server
            .recorder
            .span("g.http", Kind::Entry)
            .text("data.http.error")
            .unwrap_or_default();
        assert!(text.ends_with(end), "{text}");
        assert_eq!(text.is_empty(), end.is_empty(), "{text}");
        let entry = server.recorder.span("g.http", Kind::Entry);
        assert_eq!(entry.integer("data.http.status"), Some(200));
    }
}

#[tokio::test]
async fn a_not_found_that_an_outer_layer_replaces_is_no_error() {
    let recorder = Recorder::new();
    let router = Router::new()
        .fallback(async || (StatusCode::NOT_FOUND, "nothing"))
        .layer(layer(&recorder))
        .layer(axum::middleware::map_response(
            async |response: axum::response::Response| {
                assert_eq!(response.status(), StatusCode::NOT_FOUND);
                "a page"
            },
        ));
    let (status, body) = call(router, request("/nowhere")).await;
    assert_eq!((status, body), (StatusCode::OK, Bytes::from("a page")));
    assert_eq!(
        recorder
            .span("g.http", Kind::Entry)
            .text("data.http.error")
            .unwrap_or_default(),
        ""
    );
    let entry = recorder.span("g.http", Kind::Entry);
    assert_eq!(entry.errors(), 0);
    assert_eq!(entry.integer("data.http.status"), Some(404), "its own");
}

#[tokio::test]
async fn the_layer_may_be_optional_and_around_the_router() {
    use tower::util::option_layer;
    use tower::{Layer, ServiceBuilder};

    for (is_traced, spans) in [(false, 0), (true, 1)] {
        let recorder = Recorder::new();
        let optional = option_layer(is_traced.then(|| layer(&recorder)));
        let router = Router::new()
            .route("/orders/{id}", get(async || "an order"))
            .layer(optional.clone());
        call(router.clone(), request("/orders/7")).await;
        assert_eq!(recorder.spans().len(), spans);

        let around = ServiceBuilder::new().layer(optional).service(router);
        let response = around.oneshot(request("/orders/7")).await.unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(recorder.spans().len(), 2 * spans, "one a request");
        for span in recorder.spans() {
            let template = span.text("data.http.path_tpl");
            assert_eq!(template.as_deref(), Some("/orders/{id}"));
        }
    }

    let recorder = Recorder::new();
    let app = layer(&recorder).layer(Router::new().route("/", get(async || "hello")));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::ServiceExt::<axum::extract::Request>::into_make_service(app);
    tokio::spawn(axum::serve(listener, app).into_future());
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    client.write_all(request).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(recorder.span("g.http", Kind::Entry).errors(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_after_the_body_is_no_error() {
    let mut server = server().await;
    server.send("/stream").await;
    server.body.send_data(Bytes::from("first")).await.unwrap();
    server.read_until("first").await;
    assert!(server.recorder.spans().is_empty(), "the body goes on");
    server.body.send_data(Bytes::from("last")).await.unwrap();
    drop(server.body);
    let mut rest = [0; 64];
    while server.dropped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        assert_ne!(server.client.read(&mut rest).await.unwrap(), 0);
    }
    drop(server.client);
    assert_eq!(server.recorder.span("g.http", Kind::Entry).errors(), 0);
}
