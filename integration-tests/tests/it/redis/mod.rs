//! Redis: a server, a cluster of three nodes and a sentinel.

mod agent;
mod cluster;
mod commands;
mod concurrent;
mod failing;
mod pools;
mod proxy;
mod pubsub;
mod sentinel;
mod waiting;

use std::future::Future;

use instana::FutureExt;
use instana::testing::{RecordedSpan, Recorder};

use crate::services::variable;

/// The URL in `REDIS_URL`.
fn url() -> String {
    variable("REDIS_URL")
}

/// The `host:port` of a URL.
fn address(url: &str) -> String {
    instana_redis::Target::from(url).to_string()
}

/// A key that no other test has.
fn key(name: &str) -> String {
    format!("instana:{}:{name}", std::process::id())
}

/// Runs `call` below an entry of the recorder.
async fn below_entry<F: Future>(recorder: &Recorder, call: F) -> F::Output {
    let job = async { call.in_span(instana::entry_span("job")).await };
    recorder.scope(job).await
}

/// As [`below_entry`], without a future.
fn in_entry<R>(recorder: &Recorder, call: impl FnOnce() -> R) -> R {
    recorder.enter(|| instana::entry_span("job").enter(call))
}

/// The exits of the one entry.
fn exits(recorder: &Recorder) -> Vec<RecordedSpan> {
    let spans = recorder.children(&recorder.labelled("job"));
    assert_eq!(spans.len() + 1, recorder.spans().len());
    assert!(spans.iter().all(|span| span.name() == "redis"));
    spans
}

/// Their commands, and the only place they went to.
fn commands(recorder: &Recorder, connection: &str) -> Vec<String> {
    let text = |span: &RecordedSpan, key: &str| {
        let text = span.text(&format!("data.redis.{key}"));
        text.unwrap_or_default()
    };
    let spans = exits(recorder);
    for span in &spans {
        assert_eq!(text(span, "connection"), connection);
    }
    spans.iter().map(|span| text(span, "command")).collect()
}
