//! Several futures in one task, and everything else that polls in its own way: each
//! has its own context at each poll.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::Future;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use instana::span::Kind;
use instana::testing::{RecordedSpan, Recorder};
use instana::{Context, FutureExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, block_in_place, yield_now};
use tokio::time::timeout;

const BRANCHES: usize = 8;

/// Runs `job` inside an entry of a recorder; the recorder.
async fn recorded<F: Future>(job: F) -> Recorder {
    let recorder = Recorder::new();
    recorder.in_entry(job).await;
    recorder
}

/// A span whose exits are made between polls of its neighbours.
async fn branch(number: usize) -> usize {
    let work = async move {
        for _ in 0..10 {
            yield_now().await;
            instana::exit_span(&format!("call {number}")).end();
        }
        number
    };
    work.in_span(instana::span(&format!("branch {number}")))
        .await
}

fn name(span: &RecordedSpan) -> String {
    span.text("data.sdk.name").unwrap()
}

/// Each exit is below the branch of its number, and each branch below the entry.
fn assert_own_parents(recorder: &Recorder, branches: usize) {
    let spans = recorder.spans();
    let parent = |of: &RecordedSpan| spans.iter().find(|span| span.id() == of.parent()).unwrap();
    let calls: Vec<_> = spans
        .iter()
        .filter(|span| span.kind() == Kind::Exit)
        .collect();
    assert_eq!(calls.len(), 10 * branches);
    for call in calls {
        let branch = parent(call);
        assert_eq!(name(call).replace("call", "branch"), name(branch));
        assert_eq!(name(parent(branch)), "job");
    }
}

#[tokio::test]
async fn branches_of_join() {
    let job = async { tokio::join!(branch(0), branch(1), branch(2)) };
    assert_own_parents(&recorded(job).await, 3);
}

#[tokio::test]
async fn futures_unordered() {
    let job = async {
        let mut all: FuturesUnordered<_> = (0..BRANCHES).map(branch).collect();
        let mut sum = 0;
        while let Some(number) = all.next().await {
            sum += number;
        }
        assert_eq!(sum, BRANCHES * (BRANCHES - 1) / 2);
    };
    assert_own_parents(&recorded(job).await, BRANCHES);
}

#[tokio::test]
async fn the_branch_that_select_drops_was_cancelled_and_the_other_was_not() {
    let job = async {
        let lost = std::future::pending::<()>().in_span(instana::exit_span("lost"));
        let won = async { yield_now().await }.in_span(instana::exit_span("won"));
        tokio::select! {
            () = lost => unreachable!("it is pending for ever"),
            () = won => {}
        }
        assert!(instana::current(|job| job.tag("selected", true)).is_some());
    };
    let recorder = recorded(job).await;
    let (lost, won) = (recorder.labelled("lost"), recorder.labelled("won"));
    let error = lost.text("data.sdk.custom.tags.error").unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    assert_eq!(won.errors(), 0);
    let job = recorder.labelled("job");
    assert_eq!((lost.parent(), won.parent()), (job.id(), job.id()));
    assert_eq!(job.errors(), 0);
}

#[tokio::test]
async fn a_timeout_cancels_what_it_is_around() {
    let job = async {
        let slow = std::future::pending::<()>().in_span(instana::exit_span("slow"));
        let result = timeout(Duration::from_millis(5), slow).await;
        assert!(result.is_err());
        instana::exit_span("fallback").end();
    };
    let recorder = recorded(job).await;
    let slow = recorder.labelled("slow");
    assert_eq!(slow.errors(), 1);
    let fallback = recorder.labelled("fallback");
    assert_eq!(fallback.parent(), slow.parent(), "the slow call was left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn block_in_place_stays_in_its_span() {
    let job = async {
        let handle = tokio::runtime::Handle::current();
        let seen = block_in_place(|| {
            instana::current(|job| job.tag("blocked", true));
            instana::exit_span("blocking").end();
            handle.block_on(async {
                yield_now().await;
                instana::exit_span("inner").end();
                Context::current().span_id()
            })
        });
        assert_eq!(seen, Context::current().span_id());
    };
    let recorder = Recorder::new();
    // In a task, whose worker is handed over.
    instana_tokio::spawn(recorder.in_entry(job)).await.unwrap();
    recorder.assert_tree("entry job\n  exit blocking\n  exit inner\n");
}

#[tokio::test]
async fn tasks_of_a_local_set() {
    let job = async {
        let local = LocalSet::new();
        let by_method = local.spawn_local(
            async {
                yield_now().await;
                instana::exit_span("method").end();
            }
            .in_current_span(),
        );
        let inside = local.run_until(async {
            instana_tokio::spawn_local(async {
                yield_now().await;
                instana::exit_span("function").end();
            })
            .await
            .unwrap();
            instana::exit_span("inside").end();
        });
        inside.await;
        local.run_until(by_method).await.unwrap();
    };
    let recorder = recorded(job).await;
    let job = recorder.labelled("job").id();
    for name in ["method", "function", "inside"] {
        assert_eq!(recorder.labelled(name).parent(), job, "{name}");
    }
}

#[tokio::test]
async fn a_message_of_a_channel_takes_its_senders_context_along() {
    let (sender, mut receiver) = mpsc::channel::<(Context, oneshot::Sender<()>)>(1);
    // It was there before the job, and serves all jobs.
    let worker = tokio::spawn(async move {
        while let Some((context, done)) = receiver.recv().await {
            async {
                yield_now().await;
                instana::exit_span("on behalf").end();
                done.send(()).unwrap();
            }
            .in_context(context)
            .await;
            assert!(Context::current().is_empty());
        }
    });
    let job = async {
        let (done, is_done) = oneshot::channel();
        sender.send((Context::current(), done)).await.unwrap();
        is_done.await.unwrap();
    };
    for _ in 0..2 {
        let (sender, done) = (&sender, oneshot::channel());
        let other = async move {
            sender.send((Context::current(), done.0)).await.unwrap();
            done.1.await.unwrap();
        };
        let recorder = recorded(other).await;
        recorder.assert_tree("entry job\n  exit on behalf\n");
    }
    recorded(job)
        .await
        .assert_tree("entry job\n  exit on behalf\n");
    drop(sender);
    worker.await.unwrap();
}
