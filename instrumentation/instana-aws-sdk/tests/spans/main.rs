//! Exits of the AWS SDK, and entries of messages, with a service that answers
//! what a test tells it to.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends there"
)]

mod dynamodb;
mod generic;
mod messages;
mod s3;
mod service;
mod sns;
mod sqs;

use std::future::Future;

use instana::FutureExt;
use instana::testing::Recorder;

/// Runs `call` below an entry of the recorder.
async fn below_entry<F: Future>(recorder: &Recorder, call: impl FnOnce() -> F) -> F::Output {
    let job = async {
        let entry = instana::entry_span("job");
        async { call().await }.in_span(entry).await
    };
    recorder.scope(job).await
}
