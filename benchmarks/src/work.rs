//! The scenarios, and what a library has to provide to run them.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use http::{HeaderMap, HeaderValue};

use crate::values;

/// A library under measurement. Each method is one iteration of a scenario,
/// through the API that an instrumentation of that library uses.
pub(crate) trait Library: Sync {
    /// What an incoming call brings along, once its headers are read.
    type Incoming;
    /// A span that is open.
    type Open;

    /// Adds what callers send that are traced by the same library, beside the
    /// W3C's and Instana's headers.
    fn caller(&self, _headers: &mut HeaderMap) {}

    /// What follows from the ids of a call.
    fn incoming(&self, sampled: bool) -> Self::Incoming;

    /// An entry with six attributes, ended.
    fn entry(&self, incoming: &Self::Incoming);

    /// An entry and three exits with four attributes each, all ended.
    fn request(&self, incoming: &Self::Incoming);

    /// A root and 100 children without attributes, all ended.
    fn tree(&self);

    /// An open span, for `inject`.
    fn open(&self, incoming: &Self::Incoming) -> Self::Open;

    /// Writes the headers that continue the span's trace.
    fn inject(&self, open: &Self::Open, headers: &mut HeaderMap);

    /// Reads what a call brings along.
    fn extract(&self, headers: &HeaderMap) -> Self::Incoming;

    /// A future that is polled in a span.
    fn traced<F: Future<Output = ()> + Send>(
        &self,
        open: Self::Open,
        future: F,
    ) -> impl Future<Output = ()>;

    /// Whether the library can tell how the polls of a span's future went.
    const TIMES_POLLS: bool = false;

    /// Makes it do so, for a span that is open.
    fn time_polls(&self, _open: &mut Self::Open) {}

    /// A router with the library's layer; `None` where it has none of its own.
    fn layer(&self, router: Router) -> Option<Router>;

    /// Blocks until what was recorded is out of the process, or counted and
    /// thrown away.
    fn drain(&self);

    /// Spans recorded and dropped so far, where the library counts them.
    fn counts(&self) -> Counts {
        Counts::default()
    }
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Sent, exported or handed to the discarding end.
    pub(crate) exported: u64,
    /// Dropped, if the library says so.
    pub(crate) dropped: Option<u64>,
    /// Recorded, if the library says so.
    pub(crate) recorded: Option<u64>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Entry,
    Request,
    Tree,
    Suppressed,
    Inject,
    InjectForeign,
    Extract,
    ExtractForeign,
    Poll,
    PollTimed,
    Axum,
    AxumHeaders,
}

impl Scenario {
    /// Reads a name of the command line.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "a" => Self::Entry,
            "b" => Self::Request,
            "c" => Self::Tree,
            "d" => Self::Suppressed,
            "inject" => Self::Inject,
            "inject-foreign" => Self::InjectForeign,
            "extract" => Self::Extract,
            "extract-foreign" => Self::ExtractForeign,
            "poll" => Self::Poll,
            "poll-timed" => Self::PollTimed,
            "axum" => Self::Axum,
            "axum-headers" => Self::AxumHeaders,
            _ => return None,
        })
    }

    /// Iterations between two drains: fewer than 500 spans, after which this
    /// tracer would wake its agent thread by itself, and the figures would
    /// depend on how fast that is.
    pub(crate) fn burst(self) -> u64 {
        match self {
            Self::Entry | Self::Axum | Self::AxumHeaders => 480,
            Self::Request | Self::Suppressed => 120,
            Self::Tree => 4,
            Self::Inject | Self::InjectForeign | Self::Extract | Self::ExtractForeign => 500,
            Self::Poll | Self::PollTimed => 2_000,
        }
    }
}

/// The headers of a request as they come in.
pub(crate) fn headers(all_five: bool, foreign: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set("host", values::HOST);
    set("user-agent", "benchmarks/1.0");
    set("accept", "*/*");
    if all_five {
        set("x-instana-t", values::TRACE_ID);
        set("x-instana-s", values::PARENT_ID);
        set("x-instana-l", "1");
        let state = if foreign {
            values::TRACESTATE_FOREIGN
        } else {
            values::TRACESTATE
        };
        set("tracestate", state);
        set(values::CAPTURED, "tenant-17");
    }
    set("traceparent", values::TRACEPARENT);
    headers
}

/// Ready after so many polls. What one does is hidden from the compiler, which
/// would leave out of a library what it sees no use for.
pub(crate) struct Countdown(pub(crate) u64);

impl Future for Countdown {
    type Output = ();

    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.0 = black_box(self.0).saturating_sub(1);
        if self.0 == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Polls a future until it is ready, without a runtime.
#[inline]
pub(crate) fn drive<F: Future>(mut future: Pin<&mut F>) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
