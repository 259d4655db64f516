//! Entries inside of entries (docs/ARCHITECTURE.md).
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request as Incoming;
use axum::http::{Request, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{any, get};
use instana::propagation;
use instana::span::{Family, Kind, Section};
use instana::testing::{RecordedSpan, Recorder};
use instana::{Context, FutureExt, Span};
use instana_axum::InstanaLayer;
use instana_tower::InstanaClientLayer;
use tower::{Layer, ServiceExt};

static SECTION: Section = Section::new("kafka", &[]);

/// As the crates for Kafka and SQS have them.
static MESSAGE: Family = Family::new("kafka", Kind::Entry, &SECTION, "messaging");

const T: &str = "fa2375d711a4ca0f";
const S: &str = "37cb2d6e9b1c078a";

fn layer(recorder: &Recorder) -> InstanaLayer {
    InstanaLayer::new().tracer(recorder.tracer())
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// One that says which trace it belongs to.
fn continued(path: &str) -> Request<Body> {
    let request = Request::get(path)
        .header("X-INSTANA-T", T)
        .header("X-INSTANA-S", S);
    request.body(Body::empty()).unwrap()
}

/// A route that makes a call.
fn orders(recorder: &Recorder) -> Router {
    Router::new()
        .route(
            "/orders/{id}",
            any(async || {
                instana::exit_span("store").end();
                StatusCode::IM_A_TEAPOT
            }),
        )
        .layer(layer(recorder))
}

fn entries(recorder: &Recorder) -> Vec<RecordedSpan> {
    let mut spans = recorder.spans();
    spans.retain(|span| span.name() == "g.http");
    spans
}

fn template(entry: &RecordedSpan) -> Option<String> {
    entry.text("data.http.path_tpl")
}

/// The names of what was not recorded, and how often.
fn unrecorded(recorder: &Recorder) -> Vec<(String, u64)> {
    let unrecorded = recorder.unrecorded().into_iter();
    unrecorded.map(|span| (span.name, span.count)).collect()
}

/// A router whose route makes another request with `make`, of the process's own.
fn overview<F>(
    recorder: &Recorder,
    make: impl Fn(Router, Incoming) -> F + Clone + Send + Sync + 'static,
) -> Router
where
    F: Future<Output = Response> + Send + 'static,
{
    let inner = orders(recorder);
    Router::new()
        .route(
            "/customers/{id}/overview",
            get(move |request: Incoming| {
                let (make, inner) = (make.clone(), inner.clone());
                async move { make(inner, request).await }
            }),
        )
        .layer(layer(recorder))
}

async fn overview_with<F>(
    recorder: &Recorder,
    make: impl Fn(Router, Incoming) -> F + Clone + Send + Sync + 'static,
) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    let router = overview(recorder, make);
    router
        .oneshot(request("/customers/1/overview"))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_request_of_a_handler_is_part_of_its_entry() {
    let recorder = Recorder::new();
    for _ in 0..3 {
        let response = overview_with(&recorder, async |orders: Router, _| {
            orders.oneshot(continued("/orders/7")).await.unwrap()
        });
        assert_eq!(response.await.status(), StatusCode::IM_A_TEAPOT);
    }
    let entries = entries(&recorder);
    assert_eq!(entries.len(), 3);
    for entry in &entries {
        assert_eq!(template(entry).as_deref(), Some("/customers/{id}/overview"));
        assert_eq!(
            entry.text("data.http.path").as_deref(),
            Some("/customers/1/overview")
        );
        assert_eq!(
            recorder.children(entry).len(),
            1,
            "the call of the other handler"
        );
    }
    assert_eq!(unrecorded(&recorder), [("g.http".to_owned(), 3)]);
    assert_eq!(recorder.counts().entries_inside, 3);
    assert_eq!(recorder.unrecorded()[0].kind, Kind::Entry);
}

#[tokio::test]
async fn a_request_is_another_one_wherever_the_handler_makes_it() {
    let recorder = Recorder::new();
    overview_with(&recorder, async |orders: Router, _| {
        // Inside of a span of the handler's, below an SDK entry that is none, and in
        // the first request's body.
        let call = orders.clone().oneshot(request("/orders/7"));
        call.in_span(instana::span("work")).await.unwrap();
        let call = orders.clone().oneshot(request("/orders/8"));
        call.in_span(instana::entry_span("job")).await.unwrap();
        orders
            .oneshot(request("/customers/1/overview"))
            .await
            .unwrap()
    })
    .await;
    let entry = recorder.labelled("g.http");
    assert_eq!(
        template(&entry).as_deref(),
        Some("/customers/{id}/overview")
    );
    assert_eq!(
        unrecorded(&recorder),
        [("g.http".to_owned(), 3), ("job".to_owned(), 1)]
    );
}

#[tokio::test]
async fn a_request_that_is_passed_on_stays_the_same() {
    let recorder = Recorder::new();
    overview_with(&recorder, async |orders: Router, mut request: Incoming| {
        *request.uri_mut() = "/orders/7".parse().unwrap();
        orders.oneshot(request).await.unwrap()
    })
    .await;
    let entry = recorder.labelled("g.http");
    // As axum says it of a request that two routers have routed.
    let template = template(&entry).unwrap();
    assert!(template.ends_with("/orders/{id}"), "{template}");
    assert_eq!(
        entry.text("data.http.path").as_deref(),
        Some("/customers/1/overview")
    );
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn a_request_with_a_copy_of_the_extensions_is_another_one() {
    let recorder = Recorder::new();
    overview_with(&recorder, async |orders: Router, request: Incoming| {
        let (parts, _) = request.into_parts();
        let copied = |path: &str| {
            let mut copied = self::request(path);
            *copied.extensions_mut() = parts.extensions.clone();
            copied
        };
        orders.clone().oneshot(copied("/orders/7")).await.unwrap();
        orders.clone().oneshot(copied("/orders/8")).await.unwrap();
        // In a task, it has an entry of its own, with its own path.
        let task = orders.oneshot(copied("/orders/9"));
        tokio::spawn(task).await.unwrap().unwrap()
    })
    .await;
    let [task, entry] = entries(&recorder).try_into().unwrap();
    let path = |entry: &RecordedSpan| entry.text("data.http.path");
    assert_eq!(path(&task).as_deref(), Some("/orders/9"));
    assert_eq!(template(&task).as_deref(), Some("/orders/{id}"));
    assert_eq!(recorder.children(&task).len(), 1);
    assert_eq!(
        template(&entry).as_deref(),
        Some("/customers/{id}/overview")
    );
    assert_eq!(path(&entry).as_deref(), Some("/customers/1/overview"));
    assert_eq!(recorder.children(&entry).len(), 2);
    assert_eq!(unrecorded(&recorder), [("g.http".to_owned(), 2)]);
}

#[tokio::test]
async fn a_copy_of_the_same_request_is_part_of_its_entry() {
    let recorder = Recorder::new();
    let orders = orders(&recorder);
    // As a retry does it, inside of a router that has taken the front off the path.
    let retry = tower::service_fn(move |request: Incoming| {
        let (parts, _) = request.into_parts();
        let orders = orders.clone();
        async move {
            let copied = || Request::from_parts(parts.clone(), Body::empty());
            orders.clone().oneshot(copied()).await.unwrap();
            orders.oneshot(copied()).await
        }
    });
    let router = Router::new()
        .nest_service("/api", retry)
        .layer(layer(&recorder));
    router.oneshot(request("/api/orders/7")).await.unwrap();
    let entry = recorder.labelled("g.http");
    assert_eq!(template(&entry).as_deref(), Some("/api/orders/{id}"));
    let path = entry.text("data.http.path");
    assert_eq!(path.as_deref(), Some("/api/orders/7"));
    assert_eq!(recorder.children(&entry).len(), 2);
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn a_request_that_goes_out_is_another_call() {
    let recorder = Recorder::new();
    let around = layer(&recorder);
    overview_with(&recorder, move |orders: Router, mut request: Incoming| {
        *request.uri_mut() = "http://stock/orders/7".parse().unwrap();
        // The callee's own layers know each other.
        let stock = InstanaClientLayer::new().layer(around.layer(orders));
        async { stock.oneshot(request).await.unwrap() }
    })
    .await;
    let [inner, outer] = entries(&recorder).try_into().unwrap();
    assert_eq!(template(&inner).as_deref(), Some("/orders/{id}"));
    let (exit, store) = (recorder.labelled("http"), recorder.labelled("store"));
    let parents = [exit.parent(), inner.parent(), store.parent()];
    assert_eq!(parents, [outer.id(), exit.id(), inner.id()]);
    let paths = [&outer, &inner].map(|entry| entry.text("data.http.path").unwrap());
    assert_eq!(paths, ["/customers/1/overview", "/orders/7"]);
    assert_eq!(
        template(&outer).as_deref(),
        Some("/customers/{id}/overview")
    );
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn below_an_exit_and_in_a_task_a_request_has_an_entry_of_its_own() {
    let recorder = Recorder::new();
    overview_with(&recorder, async |orders: Router, _| {
        // As a client layer around a router does it.
        let exit = Span::exit(&instana::span::http::EXIT);
        let mut request = request("/orders/7");
        let ids = exit.context();
        let headers = request.headers_mut();
        headers.insert("x-instana-t", ids.trace_id().unwrap().parse().unwrap());
        headers.insert("x-instana-s", ids.span_id().unwrap().parse().unwrap());
        let call = orders.clone().oneshot(request);
        call.in_span(exit).await.unwrap();
        let task = orders.oneshot(continued("/orders/8")).in_current_span();
        tokio::spawn(task).await.unwrap().unwrap()
    })
    .await;
    let entries = entries(&recorder);
    let templates: Vec<_> = entries.iter().filter_map(template).collect();
    assert_eq!(
        templates,
        ["/orders/{id}", "/orders/{id}", "/customers/{id}/overview"]
    );
    let exit = recorder.labelled("http");
    assert_eq!(
        (entries[0].trace(), entries[0].parent()),
        (exit.trace(), exit.id())
    );
    assert_eq!(
        (entries[1].trace(), entries[1].parent()),
        (T.to_owned(), S.to_owned())
    );
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn inside_of_an_entry_of_another_kind_a_request_has_its_own_trace() {
    for open in ["job", "message"] {
        let recorder = Recorder::new();
        let serve = async {
            let orders = orders(&recorder);
            orders
                .clone()
                .oneshot(continued("/orders/7"))
                .await
                .unwrap();
            orders.oneshot(request("/orders/8")).await.unwrap();
        };
        let open = async {
            let entry = match open {
                "job" => instana::entry_span("job"),
                _ => Span::entry(&MESSAGE, &propagation::Incoming::none()),
            };
            // As a current-thread runtime in a span does it.
            serve.in_span(entry).await;
        };
        recorder.scope(open).await;
        let entries = entries(&recorder);
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].trace(), entries[0].parent()),
            (T.to_owned(), S.to_owned())
        );
        assert_eq!(entries[1].parent(), "");
        for entry in &entries {
            assert_eq!(template(entry).as_deref(), Some("/orders/{id}"));
            assert_eq!(recorder.children(entry).len(), 1);
        }
        assert_eq!(recorder.unrecorded(), []);
    }
}

#[tokio::test]
async fn a_message_inside_of_a_request_has_its_own_trace() {
    let recorder = Recorder::new();
    let router = Router::new()
        .route(
            "/replay",
            any(async || {
                let incoming = propagation::Incoming::from_ids(T, S);
                let mut message = Span::entry(&MESSAGE, &incoming);
                message.enter(|| instana::exit_span("store").end());
            }),
        )
        .layer(layer(&recorder));
    router.oneshot(request("/replay")).await.unwrap();
    let (message, store) = (recorder.labelled("kafka"), recorder.labelled("store"));
    assert_eq!(
        (message.trace(), message.parent()),
        (T.to_owned(), S.to_owned())
    );
    assert_eq!(store.parent(), message.id());
    assert_eq!(entries(&recorder).len(), 1);
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn layers_of_one_request_know_it_across_tasks() {
    let recorder = Recorder::new();
    let inner = Arc::new(orders(&recorder));
    // What is between the two loses the context, as a queue does.
    let spawning = from_fn(move |request: Incoming, _: Next| {
        let inner = inner.clone();
        async move {
            let task = async move {
                assert!(Context::current().is_empty());
                Router::clone(&inner).oneshot(request).await.unwrap()
            };
            tokio::spawn(task).await.unwrap()
        }
    });
    let router = Router::new()
        .route("/{*rest}", any(async || ()))
        .layer(spawning)
        .layer(layer(&recorder));
    router.oneshot(continued("/orders/7")).await.unwrap();
    let entry = recorder.labelled("g.http");
    assert_eq!(
        (entry.trace(), entry.parent()),
        (T.to_owned(), S.to_owned())
    );
    let children = recorder.children(&entry);
    assert_eq!(
        children.len(),
        1,
        "the inner handler is in the request's context"
    );
    assert_eq!(recorder.unrecorded(), []);
}

#[tokio::test]
async fn what_is_suppressed_stays_so_and_is_no_loss() {
    let recorder = Recorder::new();
    let router = overview(&recorder, async |orders: Router, _| {
        orders.clone().oneshot(request("/orders/7")).await.unwrap();
        let task = orders.oneshot(continued("/orders/8"));
        tokio::spawn(task.in_current_span()).await.unwrap().unwrap()
    });
    let mut suppressed = request("/customers/1/overview");
    suppressed
        .headers_mut()
        .insert("x-instana-l", "0".parse().unwrap());
    router.oneshot(suppressed).await.unwrap();
    // In the task, the headers of the request decide.
    let entry = recorder.labelled("g.http");
    assert_eq!(entry.text("data.http.path").as_deref(), Some("/orders/8"));
    assert_eq!(recorder.unrecorded(), []);
}
