//! tracing with tracing-opentelemetry: `Registry` and the layer with its
//! defaults, the OpenTelemetry SDK behind it as in `opentelemetry.rs`; axum by
//! tower-http's `TraceLayer`, which takes the caller's context in `make_span`.

use std::future::Future;
use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::MatchedPath;
use http::{HeaderMap, Request, Response};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tower_http::trace::TraceLayer;
use tracing::{Instrument, Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
#[cfg(feature = "sqlx-tracing")]
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::common::EXPORTED;
use super::opentelemetry::{Discard, extract, inject, remote};
use crate::values;
use crate::work::{Counts, Library};

/// The subscriber, set.
#[derive(Debug)]
pub(crate) struct Tracing(SdkTracerProvider);

impl Tracing {
    /// Sets subscriber and propagator.
    pub(crate) fn start() -> Result<Self, String> {
        let provider = provider();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("benchmarks"));
        tracing_subscriber::registry()
            .with(layer)
            .try_init()
            .map_err(|error| error.to_string())?;
        Ok(Self(provider))
    }

    /// The same without what is below `INFO`: sqlx tells of each statement by an
    /// event of its own, beside sqlx-tracing's span.
    #[cfg(feature = "sqlx-tracing")]
    pub(crate) fn start_at_info() -> Result<Self, String> {
        let provider = provider();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("benchmarks"));
        tracing_subscriber::registry()
            .with(LevelFilter::INFO)
            .with(layer)
            .try_init()
            .map_err(|error| error.to_string())?;
        Ok(Self(provider))
    }
}

fn provider() -> SdkTracerProvider {
    global::set_text_map_propagator(TraceContextPropagator::new());
    SdkTracerProvider::builder()
        .with_batch_exporter(Discard)
        .build()
}

fn entry(incoming: &Context) -> Span {
    let entry = info_span!(
        "request",
        method = black_box(values::METHOD),
        path = black_box(values::PATH),
        path_tpl = black_box(values::TEMPLATE),
        host = black_box(values::HOST),
        params = black_box(values::PARAMS),
        status = black_box(values::STATUS),
    );
    // Fails only where no layer listens.
    let _ = entry.set_parent(incoming.clone());
    entry
}

fn exit() {
    let exit = info_span!(
        "postgres",
        stmt = black_box(values::STATEMENT),
        host = black_box(values::CONNECTION),
        user = black_box(values::USER),
        db = black_box(values::DATABASE),
    );
    exit.in_scope(|| black_box(()));
}

impl Library for Tracing {
    type Incoming = Context;
    type Open = Span;

    fn incoming(&self, sampled: bool) -> Context {
        remote(sampled)
    }

    fn entry(&self, incoming: &Context) {
        entry(incoming).in_scope(|| black_box(()));
    }

    fn request(&self, incoming: &Context) {
        entry(incoming).in_scope(|| {
            exit();
            exit();
            exit();
        });
    }

    fn tree(&self) {
        info_span!(parent: None, "request").in_scope(|| {
            for _ in 0..100 {
                info_span!("postgres").in_scope(|| black_box(()));
            }
        });
    }

    fn open(&self, incoming: &Context) -> Span {
        entry(incoming)
    }

    fn inject(&self, open: &Span, headers: &mut HeaderMap) {
        inject(&open.context(), headers);
    }

    fn extract(&self, headers: &HeaderMap) -> Context {
        extract(headers)
    }

    fn traced<F: Future<Output = ()> + Send>(
        &self,
        open: Span,
        future: F,
    ) -> impl Future<Output = ()> {
        future.instrument(open)
    }

    fn layer(&self, router: Router) -> Option<Router> {
        let layer = TraceLayer::new_for_http()
            .make_span_with(|request: &Request<axum::body::Body>| {
                let route = request.extensions().get::<MatchedPath>();
                let span = info_span!(
                    "request",
                    method = request.method().as_str(),
                    path = request.uri().path(),
                    path_tpl = route.map(MatchedPath::as_str),
                    host = request
                        .headers()
                        .get("host")
                        .and_then(|host| host.to_str().ok()),
                    params = request.uri().query(),
                    status = field::Empty,
                );
                let _ = span.set_parent(extract(request.headers()));
                span
            })
            .on_request(())
            .on_response(|response: &Response<_>, _: Duration, span: &Span| {
                span.record("status", response.status().as_u16());
            })
            .on_body_chunk(())
            .on_eos(());
        Some(router.layer(layer))
    }

    fn drain(&self) {
        if let Err(error) = self.0.force_flush() {
            eprintln!("benchmarks: not everything was exported: {error}");
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            exported: EXPORTED.load(Ordering::Relaxed),
            ..Counts::default()
        }
    }
}
