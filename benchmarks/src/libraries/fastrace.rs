//! fastrace: `Span` for what may cross threads and awaits, as its
//! documentation has it for requests; attributes by `with_properties`, default
//! configuration, a reporter that counts and discards.

use std::future::Future;
use std::hint::black_box;
use std::sync::atomic::Ordering;

use axum::Router;
use fastrace::Span;
use fastrace::collector::{Config, Reporter, SpanContext, SpanId, SpanRecord, TraceId};
use fastrace::future::FutureExt;
use fastrace_axum::{FastraceLayer, TRACEPARENT_HEADER};
use http::{HeaderMap, HeaderValue};

use super::common::{EXPORTED, TRACE_ID};
use crate::values;
use crate::work::{Counts, Library};

/// fastrace, with a reporter set.
#[derive(Debug)]
pub(crate) struct Fastrace;

struct Discard;

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        EXPORTED.fetch_add(black_box(&spans).len() as u64, Ordering::Relaxed);
    }
}

impl Fastrace {
    /// Sets the reporter.
    pub(crate) fn start() -> Self {
        fastrace::set_reporter(Discard, Config::default());
        Self
    }
}

#[inline]
fn entry(incoming: SpanContext) -> Span {
    Span::root(values::TEMPLATE, incoming).with_properties(|| {
        [
            ("method", black_box(values::METHOD).into()),
            ("path", black_box(values::PATH).to_owned().into()),
            ("path_tpl", black_box(values::TEMPLATE).to_owned().into()),
            ("host", black_box(values::HOST).to_owned().into()),
            ("params", black_box(values::PARAMS).to_owned().into()),
            ("status", black_box(values::STATUS).to_string().into()),
        ] as [(&'static str, std::borrow::Cow<'static, str>); 6]
    })
}

fn exit() {
    let _exit = Span::enter_with_local_parent("postgres").with_properties(|| {
        [
            ("stmt", black_box(values::STATEMENT).to_owned().into()),
            ("host", black_box(values::CONNECTION).to_owned().into()),
            ("user", black_box(values::USER).into()),
            ("db", black_box(values::DATABASE).into()),
        ] as [(&'static str, std::borrow::Cow<'static, str>); 4]
    });
}

impl Library for Fastrace {
    type Incoming = SpanContext;
    type Open = Span;

    fn incoming(&self, sampled: bool) -> SpanContext {
        let trace = u128::from_str_radix(TRACE_ID, 16).unwrap_or_default();
        let parent = u64::from_str_radix(values::PARENT_ID, 16).unwrap_or_default();
        SpanContext::new(TraceId(trace), SpanId(parent)).sampled(sampled)
    }

    fn entry(&self, incoming: &SpanContext) {
        drop(entry(*incoming));
    }

    fn request(&self, incoming: &SpanContext) {
        let root = entry(*incoming);
        let _guard = root.set_local_parent();
        exit();
        exit();
        exit();
    }

    fn tree(&self) {
        let root = Span::root(values::TEMPLATE, SpanContext::random());
        let _guard = root.set_local_parent();
        for _ in 0..100 {
            drop(Span::enter_with_local_parent("postgres"));
        }
    }

    fn open(&self, incoming: &SpanContext) -> Span {
        entry(*incoming)
    }

    fn inject(&self, open: &Span, headers: &mut HeaderMap) {
        if let Some(context) = SpanContext::from_span(open)
            && let Ok(value) = HeaderValue::try_from(context.encode_w3c_traceparent())
        {
            headers.insert(TRACEPARENT_HEADER, value);
        }
    }

    fn extract(&self, headers: &HeaderMap) -> SpanContext {
        headers
            .get(TRACEPARENT_HEADER)
            .and_then(|value| SpanContext::decode_w3c_traceparent(value.to_str().ok()?))
            .unwrap_or_else(SpanContext::random)
    }

    fn traced<F: Future<Output = ()> + Send>(
        &self,
        open: Span,
        future: F,
    ) -> impl Future<Output = ()> {
        future.in_span(open)
    }

    fn layer(&self, router: Router) -> Option<Router> {
        Some(router.layer(FastraceLayer::default()))
    }

    fn drain(&self) {
        fastrace::flush();
    }

    fn counts(&self) -> Counts {
        Counts {
            exported: EXPORTED.load(Ordering::Relaxed),
            ..Counts::default()
        }
    }
}
