//! Recorders beside each other on one runtime: each has its own spans, all of
//! them and no others.

use instana::FutureExt;
use instana::testing::Recorder;
use tokio::task::{JoinError, yield_now};

const RECORDERS: usize = 1_000;
const TASKS: usize = 4;

/// As a test of a service: an entry that spawns tasks in each way there is, which
/// end on any thread and tell whose they are.
async fn job(number: usize) -> Result<(), JoinError> {
    let mut tasks = instana_tokio::JoinSet::new();
    for _ in 0..TASKS {
        let work = async move {
            yield_now().await;
            instana::current(|work| work.tag("number", number));
            exit(number);
            yield_now().await;
        };
        tasks.spawn(async move {
            yield_now().await;
            work.in_span(instana::span("work")).await;
        });
    }
    let blocking = instana_tokio::spawn_blocking(move || exit(number));
    let nested = instana_tokio::spawn(async move {
        yield_now().await;
        instana_tokio::spawn(async move { exit(number) }).await
    });
    while let Some(result) = tasks.join_next().await {
        result?;
    }
    blocking.await?;
    nested.await??;
    instana::current(|job| job.tag("number", number));
    Ok(())
}

fn exit(number: usize) {
    instana::exit_span("call").tag("number", number);
}

fn expected() -> String {
    let mut lines = String::from("entry job\n  exit call\n  exit call\n");
    for _ in 0..TASKS {
        lines.push_str("  intermediate work\n    exit call\n");
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_recorders_have_their_own_spans_each() {
    let recorders: Vec<Recorder> = (0..RECORDERS).map(|_| Recorder::new()).collect();
    let mut jobs = tokio::task::JoinSet::new();
    for (number, recorder) in recorders.iter().enumerate() {
        jobs.spawn(recorder.in_entry(job(number)));
    }
    while let Some(result) = jobs.join_next().await {
        result.unwrap().unwrap();
    }
    let expected = expected();
    for (number, recorder) in recorders.iter().enumerate() {
        recorder.assert_tree(&expected);
        let job = recorder.labelled("job");
        for span in recorder.spans() {
            let of = span.integer("data.sdk.custom.tags.number");
            assert_eq!(of, Some(number as i64), "{}", recorder.tree());
            assert_eq!(span.trace(), job.trace());
        }
    }
}
