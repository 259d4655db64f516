//! sqlx, with real servers.

mod mariadb;
mod payload;
mod postgres;
mod proxy;

use std::future::Future;
use std::time::Duration;

use instana::FutureExt;
use instana::testing::{RecordedSpan, Recorder};

use crate::services::variable;

/// Nothing here takes this long unless it hangs.
const LONG: Duration = Duration::from_secs(30);

/// Runs `work` in an entry, for not too long.
async fn record<F: Future>(work: F) -> (Recorder, F::Output) {
    let recorder = Recorder::new();
    let job = async { work.in_span(instana::entry_span("job")).await };
    let output = tokio::time::timeout(LONG, recorder.scope(job)).await;
    (recorder, output.expect("it does not hang"))
}

/// The exits, which are below the entry, in the order in which they ended.
#[track_caller]
fn exits(recorder: &Recorder) -> Vec<RecordedSpan> {
    let exits = recorder.children(&recorder.labelled("job"));
    assert_eq!(
        exits.len() + 1,
        recorder.spans().len(),
        "{}",
        recorder.tree()
    );
    exits
}

#[track_caller]
fn exit(recorder: &Recorder) -> RecordedSpan {
    let mut exits = exits(recorder);
    assert_eq!(exits.len(), 1, "{}", recorder.tree());
    exits.remove(0)
}

fn tag(span: &RecordedSpan, name: &str) -> Option<i64> {
    span.integer(&format!("data.sdk.custom.tags.{name}"))
}
