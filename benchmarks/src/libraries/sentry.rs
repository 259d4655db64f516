//! sentry: a transaction for the entry, child spans for the exits, the
//! transaction set on the scope; all transactions sampled, a transport that
//! counts and discards. axum by sentry-tower's two layers.

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use sentry::protocol::{EnvelopeItem, SpanId, TraceId};
use sentry::{
    ClientInitGuard, ClientOptions, Envelope, Hub, SentryFutureExt, TracePropagationContext,
    Transaction, TransactionContext, Transport,
};
use sentry_tower::{NewSentryLayer, SentryHttpLayer};

use super::common::{EXPORTED, TRACE_ID};
use crate::values;
use crate::work::{Counts, Library};

const HEADER: HeaderName = HeaderName::from_static("sentry-trace");

/// sentry, with a client bound.
pub(crate) struct Sentry {
    _guard: ClientInitGuard,
}

struct Discard;

impl Transport for Discard {
    fn send_envelope(&self, envelope: Envelope) {
        let spans: usize = black_box(&envelope)
            .items()
            .map(|item| match item {
                EnvelopeItem::Transaction(transaction) => 1 + transaction.spans.len(),
                _ => 0,
            })
            .sum();
        EXPORTED.fetch_add(spans as u64, Ordering::Relaxed);
    }
}

impl Sentry {
    /// Binds a client.
    pub(crate) fn start() -> Self {
        let options = ClientOptions::new()
            .dsn("http://public@127.0.0.1:9/1")
            .traces_sample_rate(1.0)
            .transport(Arc::new(Discard));
        Self {
            _guard: sentry::init(options),
        }
    }
}

fn entry(incoming: &TracePropagationContext) -> Transaction {
    let context = TransactionContext::continue_from_trace_propagation_context(
        values::TEMPLATE,
        "http.server",
        incoming,
        None,
    );
    let entry = sentry::start_transaction(context);
    entry.set_data("method", black_box(values::METHOD).into());
    entry.set_data("path", black_box(values::PATH).into());
    entry.set_data("path_tpl", black_box(values::TEMPLATE).into());
    entry.set_data("host", black_box(values::HOST).into());
    entry.set_data("params", black_box(values::PARAMS).into());
    entry.set_data("status", black_box(values::STATUS).into());
    entry
}

fn exit() {
    let Some(parent) = sentry::configure_scope(|scope| scope.get_span()) else {
        return;
    };
    let exit = parent.start_child("db.sql.query", "postgres");
    exit.set_data("stmt", black_box(values::STATEMENT).into());
    exit.set_data("host", black_box(values::CONNECTION).into());
    exit.set_data("user", black_box(values::USER).into());
    exit.set_data("db", black_box(values::DATABASE).into());
    exit.finish();
}

/// Runs `f` with the transaction on the scope, and finishes it.
fn on_scope(entry: Transaction, f: impl FnOnce()) {
    sentry::configure_scope(|scope| scope.set_span(Some(entry.clone().into())));
    f();
    sentry::configure_scope(|scope| scope.set_span(None));
    entry.finish();
}

/// What a caller's headers say; a new trace where they say nothing.
fn context<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> TracePropagationContext {
    TracePropagationContext::try_from_headers(headers)
        .unwrap_or_else(|_| TracePropagationContext::new(TraceId::default(), SpanId::default()))
}

fn trace_header(sampled: bool) -> String {
    let sampled = u8::from(sampled);
    format!("{}-{}-{sampled}", TRACE_ID, values::PARENT_ID)
}

impl Library for Sentry {
    type Incoming = TracePropagationContext;
    type Open = Transaction;

    fn caller(&self, headers: &mut HeaderMap) {
        headers.extend(HeaderValue::try_from(trace_header(true)).map(|value| (HEADER, value)));
    }

    fn incoming(&self, sampled: bool) -> Self::Incoming {
        let header = trace_header(sampled);
        context([(HEADER.as_str(), header.as_str())])
    }

    fn entry(&self, incoming: &Self::Incoming) {
        entry(incoming).finish();
    }

    fn request(&self, incoming: &Self::Incoming) {
        on_scope(entry(incoming), || {
            exit();
            exit();
            exit();
        });
    }

    fn tree(&self) {
        let context = TransactionContext::new(values::TEMPLATE, "http.server");
        on_scope(sentry::start_transaction(context), || {
            for _ in 0..100 {
                if let Some(parent) = sentry::configure_scope(|scope| scope.get_span()) {
                    parent.start_child("db.sql.query", "postgres").finish();
                }
            }
        });
    }

    fn open(&self, incoming: &Self::Incoming) -> Transaction {
        entry(incoming)
    }

    fn inject(&self, open: &Transaction, headers: &mut HeaderMap) {
        for (name, value) in open.iter_headers() {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }

    fn extract(&self, headers: &HeaderMap) -> Self::Incoming {
        let texts = headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        context(texts)
    }

    fn traced<F: Future<Output = ()> + Send>(
        &self,
        open: Transaction,
        future: F,
    ) -> impl Future<Output = ()> {
        let hub = Arc::new(Hub::new_from_top(Hub::current()));
        hub.configure_scope(|scope| scope.set_span(Some(open.into())));
        future.bind_hub(hub)
    }

    fn layer(&self, router: Router) -> Option<Router> {
        Some(
            router
                .layer(SentryHttpLayer::new().enable_transaction())
                .layer(NewSentryLayer::<Request<Body>>::new_from_top()),
        )
    }

    fn drain(&self) {
        // The transport is called when a transaction is finished.
    }

    fn counts(&self) -> Counts {
        Counts {
            exported: EXPORTED.load(Ordering::Relaxed),
            ..Counts::default()
        }
    }
}
