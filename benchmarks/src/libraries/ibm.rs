//! IBM's `instana_opentelemetry_sdk`: the OpenTelemetry SDK that it needs
//! (0.29), with its exporter behind the batch processor and its propagator, as
//! its README has them. It posts JSON to the discarding agent.

use std::future::Future;
use std::hint::black_box;

use axum::Router;
use http::HeaderMap;
use instana_opentelemetry_sdk::exporter::exporter::{Exporter, Options};
use instana_opentelemetry_sdk::propagator::Propagator;
use opentelemetry_29::trace::{
    FutureExt as _, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry_29::{Context, KeyValue, global};
use opentelemetry_http_29::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk_29::Resource;
use opentelemetry_sdk_29::trace::{SdkTracer, SdkTracerProvider, Span};

use super::common::TRACE_ID;
use crate::values;
use crate::work::Library;

/// A provider with IBM's exporter, and a tracer of it.
#[derive(Debug)]
pub(crate) struct Ibm {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Ibm {
    /// Sets provider and propagator.
    pub(crate) fn start(agent: &str) -> Result<Self, String> {
        let options = Options {
            endpoint: format!("http://{agent}/com.instana.plugin.generic.rawtrace"),
            service: "bench".to_owned(),
            ..Options::default()
        };
        let resource = Resource::builder()
            .with_service_name("bench")
            .with_attribute(KeyValue::new("process.pid", i64::from(std::process::id())))
            .build();
        let exporter = Exporter::builder()
            .with_options(options)
            .with_service(resource.clone())
            .build()
            .map_err(|error| error.to_string())?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        global::set_text_map_propagator(Propagator::new());
        global::set_tracer_provider(provider.clone());
        let tracer = provider.tracer("benchmarks");
        Ok(Self { provider, tracer })
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
fn remote(sampled: bool) -> Context {
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

impl Library for Ibm {
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
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(open, &mut HeaderInjector(headers));
        });
    }

    fn extract(&self, headers: &HeaderMap) -> Context {
        global::get_text_map_propagator(|propagator| propagator.extract(&HeaderExtractor(headers)))
    }

    fn traced<F: Future<Output = ()> + Send>(
        &self,
        open: Context,
        future: F,
    ) -> impl Future<Output = ()> {
        future.with_context(open)
    }

    fn layer(&self, _router: Router) -> Option<Router> {
        // It has none, and those of others need a newer OpenTelemetry.
        None
    }

    fn drain(&self) {
        if let Err(error) = self.provider.force_flush() {
            eprintln!("benchmarks: not everything was exported: {error}");
        }
    }
}
