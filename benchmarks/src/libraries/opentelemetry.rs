//! `opentelemetry_sdk`: batch processor with its default configuration, the
//! default sampler (parent based, always on), an exporter that counts and
//! discards, W3C propagation by the global propagator. The tracer is kept, not
//! looked up for each span.

use std::future::Future;
use std::hint::black_box;
use std::sync::atomic::Ordering;

use axum::Router;
use http::HeaderMap;
use opentelemetry::trace::{
    FutureExt as _, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_instrumentation_tower::http::server::Layer;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter};

use super::common::{EXPORTED, TRACE_ID};
use crate::values;
use crate::work::{Counts, Library};

/// A provider and a tracer of it.
#[derive(Debug)]
pub(crate) struct OpenTelemetry {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Counts and discards.
#[derive(Debug)]
pub(crate) struct Discard;

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        EXPORTED.fetch_add(black_box(&batch).len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl OpenTelemetry {
    /// Sets provider and propagator.
    pub(crate) fn start() -> Self {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Discard)
            .build();
        global::set_tracer_provider(provider.clone());
        Self::new(provider)
    }

    /// Records with the tracer of a provider that is set up.
    pub(crate) fn new(provider: SdkTracerProvider) -> Self {
        let tracer = provider.tracer("benchmarks");
        Self { provider, tracer }
    }

    fn start_entry(&self, incoming: &Context) -> Span {
        let builder = self
            .tracer
            .span_builder(values::TEMPLATE)
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("method", black_box(values::METHOD)),
                KeyValue::new("path", black_box(values::PATH).to_owned()),
                KeyValue::new("path_tpl", black_box(values::TEMPLATE).to_owned()),
                KeyValue::new("host", black_box(values::HOST).to_owned()),
                KeyValue::new("params", black_box(values::PARAMS).to_owned()),
                KeyValue::new("status", i64::from(black_box(values::STATUS))),
            ]);
        self.tracer.build_with_context(builder, incoming)
    }

    fn exit(&self) {
        let builder = self
            .tracer
            .span_builder("postgres")
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("stmt", black_box(values::STATEMENT).to_owned()),
                KeyValue::new("host", black_box(values::CONNECTION).to_owned()),
                KeyValue::new("user", black_box(values::USER)),
                KeyValue::new("db", black_box(values::DATABASE)),
            ]);
        drop(self.tracer.build(builder));
    }
}

/// A context with these ids of a caller.
pub(crate) fn remote(sampled: bool) -> Context {
    let flags = if sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    Context::new().with_remote_span_context(SpanContext::new(
        TraceId::from_hex(TRACE_ID).unwrap_or(TraceId::INVALID),
        SpanId::from_hex(values::PARENT_ID).unwrap_or(SpanId::INVALID),
        flags,
        true,
        TraceState::default(),
    ))
}

/// Writes the headers that continue a context's trace.
pub(crate) fn inject(context: &Context, headers: &mut HeaderMap) {
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(context, &mut HeaderInjector(headers));
    });
}

/// Reads what a call brings along.
pub(crate) fn extract(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| propagator.extract(&HeaderExtractor(headers)))
}

impl Library for OpenTelemetry {
    type Incoming = Context;
    type Open = Context;

    fn incoming(&self, sampled: bool) -> Context {
        remote(sampled)
    }

    fn entry(&self, incoming: &Context) {
        drop(self.start_entry(incoming));
    }

    fn request(&self, incoming: &Context) {
        let _guard = incoming.with_span(self.start_entry(incoming)).attach();
        self.exit();
        self.exit();
        self.exit();
    }

    fn tree(&self) {
        let context = Context::new();
        let builder = self.tracer.span_builder(values::TEMPLATE);
        let root = self.tracer.build_with_context(builder, &context);
        let _guard = context.with_span(root).attach();
        for _ in 0..100 {
            drop(self.tracer.start("postgres"));
        }
    }

    fn open(&self, incoming: &Context) -> Context {
        incoming.with_span(self.start_entry(incoming))
    }

    fn inject(&self, open: &Context, headers: &mut HeaderMap) {
        inject(open, headers);
    }

    fn extract(&self, headers: &HeaderMap) -> Context {
        extract(headers)
    }

    fn traced<F: Future<Output = ()> + Send>(
        &self,
        open: Context,
        future: F,
    ) -> impl Future<Output = ()> {
        future.with_context(open)
    }

    fn layer(&self, router: Router) -> Option<Router> {
        Some(router.layer(Layer::new()))
    }

    fn drain(&self) {
        if let Err(error) = self.provider.force_flush() {
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
