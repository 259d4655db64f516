//! Entries inside of entries (docs/ARCHITECTURE.md).
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use instana::FutureExt;
use instana::testing::Recorder;
use instana_tower::{InstanaServerLayer, RequestHead};
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
