//! Entries inside of entries (docs/ARCHITECTURE.md).
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::borrow::Cow;
use std::convert::Infallible;

use bytes::Bytes;
use http::Uri;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use instana::testing::{RecordedSpan, Recorder};
use instana::{FutureExt, Span};
use instana_tower::{InstanaClientLayer, InstanaServerLayer, RequestHead, TracedBody};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

const T: &str = "fa2375d711a4ca0f";
const S: &str = "37cb2d6e9b1c078a";

fn request(path: &str) -> Request<Full<Bytes>> {
    let request = Request::get(path)
        .header("X-INSTANA-T", T)
        .header("X-INSTANA-S", S);
    request.body(Full::default()).unwrap()
}

async fn ok(_: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    instana::exit_span("store").end();
    Ok(Response::new(Full::default()))
}

/// Handles its requests in a task that has no context, as a queue does.
fn queue<S, B>(
    service: S,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<B>,
    Error = BoxError,
    Future: Future<Output = Result<Response<B>, BoxError>> + Send,
> + Clone
+ Send
+ 'static
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Future: Send> + Clone + Send + 'static,
    S::Error: Into<BoxError> + Send,
    B: Send + 'static,
{
    service_fn(move |request| {
        let call = tokio::spawn(service.clone().oneshot(request));
        async { call.await.unwrap().map_err(Into::into) }
    })
}

#[tokio::test]
async fn layers_of_one_request_record_one_entry_whatever_is_between_them() {
    let recorder = Recorder::new();
    let layer = || InstanaServerLayer::new().tracer(recorder.tracer());
    let routed = layer().route(|_: RequestHead<'_>| Some("/orders/{id}".into()));
    let (inner, queued) = (routed.clone(), queue(routed.layer(service_fn(ok))));
    let service = layer().layer(inner.layer(service_fn(ok)));
    service.oneshot(request("/orders/7")).await.unwrap();
    let entry = recorder.labelled("g.http");
    assert_eq!(
        entry.text("data.http.path_tpl").as_deref(),
        Some("/orders/{id}")
    );
    assert_eq!(
        (entry.trace(), entry.parent()),
        (T.to_owned(), S.to_owned())
    );

    recorder.clear();
    let response = layer()
        .layer(queued)
        .oneshot(request("/orders/7"))
        .await
        .unwrap();
    response.into_body().collect().await.unwrap();
    let entry = recorder.labelled("g.http");
    assert_eq!(
        (entry.trace(), entry.parent()),
        (T.to_owned(), S.to_owned())
    );
    let store = recorder.labelled("store");
    assert_eq!(
        store.parent(),
        entry.id(),
        "the handler is in the request's context"
    );
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn a_request_that_is_left_out_stays_so_across_a_queue() {
    let recorder = Recorder::new();
    let layer = || InstanaServerLayer::new().tracer(recorder.tracer());
    let outer = layer().ignore(|request| request.uri.path() == "/health");
    let service = outer.layer(queue(layer().layer(service_fn(ok))));
    service.oneshot(request("/health")).await.unwrap();
    recorder.assert_empty();
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn another_request_inside_of_one_is_part_of_it() {
    let recorder = Recorder::new();
    let layer = |template: &'static str| {
        let layer = InstanaServerLayer::new().tracer(recorder.tracer());
        layer.route(move |_: RequestHead<'_>| Some(template.into()))
    };
    // Of which the inner one has two layers, too.
    let inner = layer("/inner").layer(layer("/inner").layer(service_fn(ok)));
    let handler = service_fn(move |_| inner.clone().oneshot(request("/x")));
    layer("/outer/{id}")
        .layer(handler)
        .oneshot(request("/outer/1"))
        .await
        .unwrap();
    let entry = recorder.labelled("g.http");
    assert_eq!(
        entry.text("data.http.path_tpl").as_deref(),
        Some("/outer/{id}")
    );
    assert_eq!(recorder.counts().entries_inside, 1, "once a request");
    assert_eq!(recorder.children(&entry).len(), 1);
}

#[tokio::test]
async fn inside_of_a_job_a_request_has_its_own_trace() {
    let recorder = Recorder::new();
    let service = InstanaServerLayer::new().layer(service_fn(ok));
    let job = async {
        let job = instana::entry_span("job");
        service.oneshot(request("/")).in_span(job).await.unwrap();
    };
    recorder.scope(job).await;
    let entry = recorder.labelled("g.http");
    assert_eq!(
        (entry.trace(), entry.parent()),
        (T.to_owned(), S.to_owned())
    );
    assert_ne!(recorder.labelled("job").trace(), T);
    assert_eq!(recorder.unrecorded(), []);
}

/// A gateway's layer and handler, which passes its own request on to `next`.
async fn gateway<S, B>(
    recorder: &Recorder,
    next: S,
    pass_on: impl Fn(Request<Full<Bytes>>) -> Request<Full<Bytes>>,
) where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: std::fmt::Debug> + Clone,
{
    let handler = async |request| {
        let next = next.clone();
        let _ = next.oneshot(pass_on(request)).await.unwrap();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    };
    let gateway = server(recorder, "/gateway/{id}").layer(service_fn(handler));
    gateway.oneshot(request("/gateway/1")).await.unwrap();
}

fn server(
    recorder: &Recorder,
    template: &'static str,
) -> InstanaServerLayer<impl Fn(RequestHead<'_>) -> Option<Cow<'_, str>> + Clone + use<>> {
    let layer = InstanaServerLayer::new().tracer(recorder.tracer());
    layer.route(move |_: RequestHead<'_>| Some(template.into()))
}

/// The callee's service, which has two layers.
fn orders(
    recorder: &Recorder,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<TracedBody<TracedBody<Full<Bytes>>>>,
    Error = Infallible,
    Future: Send,
> + Clone
+ Send
+ use<> {
    let inner = server(recorder, "/orders/{id}").layer(service_fn(ok));
    let outer = InstanaServerLayer::new().tracer(recorder.tracer());
    outer.layer(inner)
}

fn to_orders(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    *request.uri_mut() = Uri::from_static("http://stock/orders/7");
    request
}

/// With its extensions.
fn copy(request: &Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    request.clone()
}

fn template(span: &RecordedSpan) -> Option<String> {
    span.text("data.http.path_tpl")
}

/// Entry, exit, entry, exit: each below the one before.
fn assert_called(recorder: &Recorder, title: &str) {
    let spans = recorder.spans();
    let entry = |path: &str| {
        let of = |span: &&RecordedSpan| span.text("data.http.path").as_deref() == Some(path);
        spans
            .iter()
            .find(of)
            .unwrap_or_else(|| panic!("{title}: no entry for {path}"))
    };
    let (outer, inner) = (entry("/gateway/1"), entry("/orders/7"));
    let (exit, store) = (recorder.labelled("http"), recorder.labelled("store"));
    assert_eq!(template(outer).as_deref(), Some("/gateway/{id}"), "{title}");
    assert_eq!(template(inner).as_deref(), Some("/orders/{id}"), "{title}");
    assert_eq!(outer.parent(), S, "{title}");
    let parents = [exit.parent(), inner.parent(), store.parent()];
    assert_eq!(parents, [outer.id(), exit.id(), inner.id()], "{title}");
    assert_eq!(recorder.spans().len(), 4, "{title}");
    assert_eq!(recorder.unrecorded(), [], "{title}");
}

#[tokio::test]
async fn a_request_that_goes_out_is_another_call() {
    let recorder = Recorder::new();
    let copied = |request: Request<Full<Bytes>>| to_orders(copy(&request));
    let client = InstanaClientLayer::new();
    gateway(&recorder, client.layer(orders(&recorder)), to_orders).await;
    assert_called(&recorder, "its own request");
    recorder.clear();
    gateway(&recorder, client.layer(orders(&recorder)), copied).await;
    assert_called(&recorder, "a copy of it");
    recorder.clear();
    gateway(
        &recorder,
        client.clone().grpc().layer(orders(&recorder)),
        to_orders,
    )
    .await;
    assert_called(&recorder, "gRPC");
    recorder.clear();
    gateway(&recorder, client.layer(queue(orders(&recorder))), to_orders).await;
    assert_called(&recorder, "with a queue behind the client");
    recorder.clear();
    // As a retry around the client's layer does it.
    let again = client.layer(service_fn(|request: Request<Full<Bytes>>| {
        orders(&recorder).oneshot(copy(&request))
    }));
    gateway(&recorder, again, to_orders).await;
    assert_called(&recorder, "a copy behind the client");
    recorder.clear();
    // A client that is not ours, inside of an exit of the user's.
    let other = service_fn(|mut request: Request<Full<Bytes>>| {
        let exit = Span::exit(&instana::span::http::EXIT);
        let context = exit.context();
        let headers = request.headers_mut();
        headers.insert("x-instana-s", context.span_id().unwrap().parse().unwrap());
        orders(&recorder).oneshot(request).in_span(exit)
    });
    gateway(&recorder, other, to_orders).await;
    assert_called(&recorder, "another client");
}

#[tokio::test]
async fn a_request_with_a_copy_of_the_extensions_is_another_one() {
    for (method, path) in [
        (Method::GET, "/orders/7"),
        (Method::POST, "/gateway/1"),
        (Method::GET, "/"),
    ] {
        let copied = |request: Request<Full<Bytes>>| {
            let mut other = Request::new(Full::default());
            *other.method_mut() = method.clone();
            *other.uri_mut() = path.parse().unwrap();
            *other.extensions_mut() = request.extensions().clone();
            other
        };
        let recorder = Recorder::new();
        gateway(&recorder, orders(&recorder), copied).await;
        let entry = recorder.labelled("g.http");
        assert_eq!(
            template(&entry).as_deref(),
            Some("/gateway/{id}"),
            "{method} {path}"
        );
        assert_eq!(recorder.counts().entries_inside, 1, "{method} {path}");
        assert_eq!(recorder.labelled("store").parent(), entry.id());

        // In a task, its own headers say to which trace it belongs.
        recorder.clear();
        gateway(&recorder, queue(orders(&recorder)), copied).await;
        let spans = recorder.spans();
        let entry = spans
            .iter()
            .find(|span| template(span).as_deref() == Some("/orders/{id}"));
        let entry = entry.unwrap();
        assert_eq!(entry.text("data.http.path").as_deref(), Some(path));
        assert_eq!(entry.parent(), "");
        assert_eq!(recorder.labelled("store").parent(), entry.id());
    }
}

#[tokio::test]
async fn a_request_stays_the_same_when_it_is_rewritten_or_sent_twice() {
    type Rewrite = fn(Request<Full<Bytes>>) -> Request<Full<Bytes>>;
    let rewritten: [(&str, Rewrite); 4] = [
        ("a path without its prefix", |mut request| {
            *request.uri_mut() = Uri::from_static("/1");
            request
        }),
        ("a normalized path", |mut request| {
            *request.uri_mut() = Uri::from_static("/gateway/1/");
            request
        }),
        ("taken apart", |request| {
            let (mut parts, body) = to_orders(request).into_parts();
            parts.method = Method::POST;
            Request::from_parts(parts, body)
        }),
        ("as a retry copies it", |request| copy(&request)),
    ];
    for (title, rewrite) in rewritten {
        let recorder = Recorder::new();
        gateway(&recorder, orders(&recorder), rewrite).await;
        gateway(&recorder, queue(orders(&recorder)), rewrite).await;
        let mut entries = recorder.spans();
        entries.retain(|span| span.name() == "g.http");
        assert_eq!(entries.len(), 2, "{title}");
        // Behind the queue, the entry is not there to learn the template.
        assert_eq!(
            template(&entries[0]).as_deref(),
            Some("/orders/{id}"),
            "{title}"
        );
        for entry in &entries {
            assert_eq!(entry.text("data.http.path").as_deref(), Some("/gateway/1"));
            assert_eq!(recorder.children(entry).len(), 1, "{title}");
        }
        assert_eq!(recorder.unrecorded(), [], "{title}");
    }
}

#[tokio::test]
async fn an_answer_that_leads_elsewhere_is_another_request_of_the_same_entry() {
    // As a layer that follows redirects inside of the process does it.
    let recorder = Recorder::new();
    let follow = service_fn(|request: Request<Full<Bytes>>| {
        let next = to_orders(copy(&request));
        let first = server(&recorder, "/moved/{id}").layer(service_fn(async |_| {
            let moved = Response::builder()
                .status(302)
                .body(Full::<Bytes>::default());
            Ok::<_, Infallible>(moved.unwrap())
        }));
        let orders = orders(&recorder);
        async move {
            first.oneshot(request).await.unwrap();
            orders.oneshot(next).await
        }
    });
    gateway(&recorder, follow, |request| request).await;
    let entry = recorder.labelled("g.http");
    assert_eq!(template(&entry).as_deref(), Some("/moved/{id}"));
    assert_eq!(recorder.labelled("store").parent(), entry.id());
    assert_eq!(recorder.counts().entries_inside, 1);
}
