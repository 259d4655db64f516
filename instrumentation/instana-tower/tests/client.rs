//! Exits of services.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use http_body_util::channel::Channel;
use instana::FutureExt;
use instana::span::Kind;
use instana::testing::Recorder;
use instana_tower::{Client, InstanaClientLayer, InstanaServerLayer, PathTemplate};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

fn get(url: &str) -> Request<Full<Bytes>> {
    Request::get(url).body(Full::default()).unwrap()
}

async fn ok(_: Request<Full<Bytes>>) -> Answer {
    Ok(Response::new(Full::from("hello")))
}

/// Answers with the headers it was called with.
async fn echo(request: Request<Full<Bytes>>) -> Result<Response<HeaderMap>, Infallible> {
    Ok(Response::new(request.headers().clone()))
}

#[tokio::test]
async fn a_request_is_an_exit_with_its_attributes() {
    let recorder = Recorder::builder()
        .extra_headers(["x-tenant", "x-answer"])
        .build();
    let service = InstanaClientLayer::new().layer(service_fn(async |_| -> Answer {
        let mut response = Response::new(Full::default());
        response
            .headers_mut()
            .insert("x-answer", "42".parse().unwrap());
        Ok(response)
    }));
    let mut request = get("https://me:pw@stock:8443/items/7?id=7&api_key=x");
    request
        .headers_mut()
        .insert("x-tenant", "a".parse().unwrap());
    request
        .extensions_mut()
        .insert(PathTemplate::new("/items/{id}"));
    recorder.in_entry(service.oneshot(request)).await.unwrap();

    let span = recorder.span("http", Kind::Exit);
    let text = |key: &str| span.text(&format!("data.http.{key}")).unwrap_or_default();
    assert_eq!(text("method"), "GET");
    assert_eq!(
        text("url"),
        "https://<redacted>:<redacted>@stock:8443/items/7"
    );
    assert_eq!(text("params"), "id=7&api_key=<redacted>");
    assert_eq!(text("path_tpl"), "/items/{id}");
    assert_eq!(text("header.x-tenant"), "a");
    assert_eq!(text("header.x-answer"), "42");
    assert_eq!(span.integer("data.http.status"), Some(200));
    assert_eq!(span.errors(), 0);
    let entry = recorder.span("sdk", Kind::Entry);
    assert_eq!(span.parent(), entry.id());
    assert_eq!(span.trace(), entry.trace());
}

#[tokio::test]
async fn the_callee_learns_trace_and_parent() {
    let recorder = Recorder::new();
    let mut request = get("http://stock/");
    for name in ["x-instana-t", "x-instana-l", "traceparent"] {
        let copied = request.headers_mut();
        copied.append(name, "copied".parse().unwrap());
        copied.append(name, "twice".parse().unwrap());
    }
    let response = recorder
        .in_entry(Client::from(service_fn(echo)).oneshot(request))
        .await;
    let sent = response.unwrap().into_body();
    let exit = recorder.span("http", Kind::Exit);
    let (trace, span) = (exit.trace(), exit.id());
    let expected = [
        ("x-instana-t", trace.clone()),
        ("x-instana-s", span.clone()),
        ("x-instana-l", "1".to_owned()),
        (
            "traceparent",
            format!("00-0000000000000000{trace}-{span}-03"),
        ),
        ("tracestate", format!("in={trace};{span}")),
    ];
    assert_eq!(sent.len(), expected.len(), "each once: {sent:?}");
    for (name, value) in expected {
        assert_eq!(sent[name], value);
    }
}

#[tokio::test]
async fn a_trace_that_came_in_goes_on_with_its_foreign_members() {
    let recorder = Recorder::new();
    let server = InstanaServerLayer::new()
        .tracer(recorder.tracer())
        .layer(service_fn(async |request: Request<Full<Bytes>>| {
            assert!(request.headers().contains_key("tracestate"));
            let sent = Client::from(service_fn(echo)).oneshot(get("http://stock/"));
            let mut response = Response::new(Full::<Bytes>::default());
            *response.headers_mut() = sent.await?.into_body();
            Ok::<_, Infallible>(response)
        }));
    let mut request = get("/");
    request.headers_mut().insert(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            .parse()
            .unwrap(),
    );
    request
        .headers_mut()
        .insert("tracestate", "rojo=00f067aa0ba902b7".parse().unwrap());
    let response = server.oneshot(request).await.unwrap();
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(
        response.headers()["traceparent"],
        format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", exit.id())
    );
    assert_eq!(
        response.headers()["tracestate"],
        format!("in={};{},rojo=00f067aa0ba902b7", exit.trace(), exit.id())
    );
}

#[tokio::test]
async fn without_the_w3c_its_headers_are_left_alone() {
    let recorder = Recorder::builder().w3c_propagation(false).build();
    let mut request = get("http://stock/");
    request
        .headers_mut()
        .insert("traceparent", "own".parse().unwrap());
    let response = recorder
        .in_entry(Client::from(service_fn(echo)).oneshot(request))
        .await;
    let sent = response.unwrap().into_body();
    assert_eq!(sent["traceparent"], "own");
    assert_eq!(sent["x-instana-s"], recorder.span("http", Kind::Exit).id());
    assert_eq!(sent.len(), 4);
}

#[tokio::test]
async fn an_answer_from_500_on_is_an_error_and_404_is_none() {
    for (status, errors) in [(404, 0), (500, 1), (503, 1)] {
        let recorder = Recorder::new();
        let service = service_fn(move |_| {
            let response = Response::builder().status(status).body(());
            std::future::ready(Ok::<_, Infallible>(response.unwrap()))
        });
        let call = Client::from(service).oneshot(get("http://stock/"));
        recorder.in_entry(call).await.unwrap();
        assert_eq!(
            recorder.span("http", Kind::Exit).errors(),
            errors,
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_error_is_recorded_and_passed_on() {
    let recorder = Recorder::new();
    let service = Client::from(service_fn(async |_: Request<Full<Bytes>>| {
        let source = std::io::Error::other("refused by https://me:pw@stock/?key=x");
        Err::<Response<()>, BoxError>(source.into())
    }));
    let result = recorder
        .in_entry(service.oneshot(get("http://stock/")))
        .await;
    assert!(result.unwrap_err().is::<std::io::Error>());
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(exit.errors(), 1);
    assert!(!exit.has("data.http.status"));
    let text = exit.text("data.http.error").unwrap();
    assert!(text.starts_with("refused by https://"), "{text}");
    assert!(!text.contains("pw") && !text.contains("key=x"), "{text}");
}

#[tokio::test]
async fn a_call_that_is_given_up_says_so() {
    let recorder = Recorder::new();
    let mut service = Client::from(service_fn(|_: Request<Full<Bytes>>| {
        std::future::pending::<Answer>()
    }));
    recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            let mut call = Box::pin(service.call(get("http://stock/")));
            let polled = call
                .as_mut()
                .poll(&mut TaskContext::from_waker(Waker::noop()));
            assert!(matches!(polled, Poll::Pending));
        });
    });
    let exit = recorder.span("http", Kind::Exit);
    assert_eq!(exit.errors(), 1);
    let text = exit.text("data.http.error").unwrap();
    assert!(text.starts_with("cancelled after "), "{text}");
}

#[tokio::test]
async fn an_exit_ends_with_the_head_and_the_body_stays_untouched() {
    let recorder = Recorder::new();
    let (sender, body) = Channel::<Bytes, Infallible>::new(1);
    let mut response = Some(Response::new(body));
    let service = Client::from(service_fn(move |_| {
        std::future::ready(Ok::<_, Infallible>(response.take().unwrap()))
    }));
    let call = service.oneshot(get("http://stock/"));
    let _body: Channel<Bytes, Infallible> = recorder.in_entry(call).await.unwrap().into_body();
    assert_eq!(
        recorder
            .span("http", Kind::Exit)
            .integer("data.http.status"),
        Some(200)
    );
    drop(sender);
}

#[tokio::test]
async fn a_request_in_origin_form_has_its_host_in_the_url() {
    let recorder = Recorder::new();
    let mut request = get("/items/7?a=b");
    request
        .headers_mut()
        .insert("host", "stock:8080".parse().unwrap());
    recorder
        .in_entry(Client::from(service_fn(ok)).oneshot(request))
        .await
        .unwrap();
    assert_eq!(
        recorder
            .span("http", Kind::Exit)
            .text("data.http.url")
            .as_deref(),
        Some("http://stock:8080/items/7")
    );
}

#[tokio::test]
async fn a_url_has_a_host_or_is_a_path() {
    let origin = || http::Uri::from_static("https://Stock:8443");
    for (url, host, origin, expected) in [
        ("/pkg.Service/Method", None, None, "/pkg.Service/Method"),
        ("/a", None, Some(origin()), "https://stock:8443/a"),
        ("/a", Some("Stock:443"), None, "https://stock/a"),
        ("/a", Some("other"), Some(origin()), "https://other/a"),
        (
            "http://Stock:80/a/../b",
            None,
            Some(origin()),
            "http://stock/b",
        ),
        ("*", Some("stock"), None, "http://stock/"),
        ("stock:8443", None, Some(origin()), "https://stock:8443/"),
    ] {
        let recorder = Recorder::new();
        let mut layer = InstanaClientLayer::new();
        if let Some(origin) = origin {
            layer = layer.origin(origin);
        }
        let mut request = get(url);
        if let Some(host) = host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        let call = layer.layer(service_fn(ok)).oneshot(request);
        recorder.in_entry(call).await.unwrap();
        let recorded = recorder.span("http", Kind::Exit).text("data.http.url");
        assert_eq!(recorded.as_deref(), Some(expected), "{url} {host:?}");
    }
}

#[tokio::test]
async fn the_last_cause_of_an_error_is_recorded_in_every_form() {
    use std::io;
    use std::sync::Arc;

    use hyper_util::client::legacy;
    use hyper_util::rt::TokioExecutor;

    const CHAIN: &str =
        "client error (Connect): tcp connect error: Connection refused (os error 111)";
    let client = || legacy::Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let refused = || get("http://127.0.0.1:1/");

    // As the client says it: its sources are out of reach, but for the last.
    let recorder = Recorder::new();
    let call = Client::from(client()).oneshot(refused());
    let error: legacy::Error = recorder.in_entry(call).await.unwrap_err();
    assert_eq!(
        recorder
            .span("http", Kind::Exit)
            .text("data.http.error")
            .unwrap(),
        "client error (Connect): Connection refused (os error 111)"
    );
    async fn recorded<E>(error: E) -> String
    where
        E: std::fmt::Display + std::fmt::Debug + 'static,
    {
        let mut error = Some(error);
        let service = service_fn(move |_: Request<Full<Bytes>>| {
            std::future::ready(Err::<Response<()>, _>(error.take().unwrap()))
        });
        let recorder = Recorder::new();
        let call = Client::from(service).oneshot(get("http://stock/"));
        assert!(recorder.in_entry(call).await.is_err());
        recorder
            .span("http", Kind::Exit)
            .text("data.http.error")
            .unwrap()
    }
    let shared: Arc<dyn std::error::Error + Send + Sync> = Arc::new(error);
    assert_eq!(recorded(shared.clone()).await, CHAIN);
    assert_eq!(recorded(io::Error::other(shared.clone())).await, CHAIN);
    assert_eq!(
        recorded(Arc::new(io::Error::other(shared.clone()))).await,
        CHAIN
    );
    assert_eq!(recorded::<BoxError>(Box::new(shared.clone())).await, CHAIN);
    let local: Box<dyn std::error::Error> = Box::new(shared.clone());
    assert_eq!(recorded(local).await, CHAIN);
    let sent: Box<dyn std::error::Error + Send> = Box::new(shared.clone());
    assert_eq!(recorded(sent).await, CHAIN);
    assert_eq!(recorded(anyhow::Error::new(shared.clone())).await, CHAIN);
    let context = anyhow::Error::new(shared).context("no price");
    assert_eq!(recorded(context).await, format!("no price: {CHAIN}"));
}

#[tokio::test]
async fn a_status_of_grpc_in_the_head_is_an_error() {
    for (content_type, code, expected) in [
        ("application/grpc", "5", Some("NOT_FOUND: no such order")),
        (
            "application/grpc+proto",
            "1",
            Some("CANCELLED: no such order"),
        ),
        ("application/grpc", "0", None),
        ("text/plain", "5", None),
    ] {
        let recorder = Recorder::new();
        let service = Client::from(service_fn(async |_: Request<Full<Bytes>>| {
            let response = Response::builder()
                .header("content-type", content_type)
                .header("grpc-status", code)
                .header("grpc-message", "no%20such order");
            Ok::<_, Infallible>(response.body(()).unwrap())
        }));
        let call = service.oneshot(get("http://stock/shop.Orders/Get"));
        recorder.in_entry(call).await.unwrap();
        let exit = recorder.span("http", Kind::Exit);
        assert_eq!(exit.text("data.http.error").as_deref(), expected);
        assert_eq!(exit.errors(), u64::from(expected.is_some()));
    }
}

#[tokio::test]
async fn below_a_suppressed_entry_the_callee_is_told_not_to_trace() {
    let recorder = Recorder::new();
    let incoming = instana::propagation::Incoming::suppressed();
    let mut request = get("http://stock/");
    request
        .headers_mut()
        .insert("x-instana-t", "copied".parse().unwrap());
    let call = async {
        let entry = instana::Span::entry(&instana::span::http::ENTRY, &incoming);
        Client::from(service_fn(echo))
            .oneshot(request)
            .in_span(entry)
            .await
    };
    let sent = recorder.scope(call).await.unwrap().into_body();
    assert_eq!(sent["x-instana-l"], "0");
    assert!(!sent.contains_key("x-instana-t") && !sent.contains_key("x-instana-s"));
    assert!(sent["traceparent"].to_str().unwrap().ends_with("-02"));
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn without_an_entry_or_a_tracer_the_request_stays_as_it_is() {
    let recorder = Recorder::new();
    let call = Client::from(service_fn(echo)).oneshot(get("http://stock/"));
    assert!(recorder.scope(call).await.unwrap().into_body().is_empty());
    assert!(recorder.spans().is_empty());

    let call = Client::from(service_fn(echo)).oneshot(get("http://stock/"));
    assert!(call.await.unwrap().into_body().is_empty());
}

#[tokio::test]
async fn stacked_clients_record_one_exit() {
    let recorder = Recorder::new();
    let service = InstanaClientLayer::new().layer(Client::from(service_fn(ok)));
    recorder
        .in_entry(service.oneshot(get("http://stock/")))
        .await
        .unwrap();
    assert_eq!(recorder.spans().len(), 2);
}

#[tokio::test]
async fn below_an_exit_a_call_carries_the_ids_of_the_exit() {
    let recorder = Recorder::new();
    // One that the application opened, and a layer around another client's.
    for outer in [true, false] {
        recorder.clear();
        let client = Client::from(service_fn(echo));
        let call = async {
            if outer {
                let call = client.oneshot(get("http://stock/"));
                call.in_span(instana::exit_span("stock")).await
            } else {
                let client = InstanaClientLayer::new().layer(client);
                client.oneshot(get("http://stock/")).await
            }
        };
        let response = recorder.in_entry(call).await.unwrap();
        let spans = recorder.spans();
        let exits: Vec<_> = spans
            .iter()
            .filter(|span| span.kind() == Kind::Exit)
            .collect();
        assert_eq!(exits.len(), 1, "the outermost");
        let header = |name: &str| response.body().get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(header("x-instana-t"), [exits[0].trace().as_str()]);
        assert_eq!(header("x-instana-s"), [exits[0].id().as_str()]);
        assert_eq!(header("x-instana-l"), ["1"]);
        assert_eq!(header("traceparent").len(), 1);
    }
}
