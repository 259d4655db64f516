//! Work in tasks: what carries the context, and where.

use std::time::Duration;

use instana::{Context, FutureExt};
use instana_tokio::JoinSet;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::sleep;

/// A message for the worker: it takes the sender's context along.
pub(crate) type Message = (Context, oneshot::Sender<()>);

/// One job, in its entry.
pub(crate) async fn job(worker: mpsc::Sender<Message>) -> Result<JoinHandle<()>, JoinError> {
    // tokio's functions, by another name.
    instana_tokio::spawn(call("in a task")).await?;
    instana_tokio::spawn_blocking(|| instana::exit_span("on a blocking thread").end()).await?;

    let mut set = JoinSet::new();
    for _ in 0..2 {
        set.spawn(call("in a set"));
    }
    while let Some(result) = set.join_next().await {
        result?;
    }

    // The worker serves many: each message says for whom.
    let (done, is_done) = oneshot::channel();
    if worker.send((Context::current(), done)).await.is_ok() {
        let _ = is_done.await;
    }

    weigh().in_span(timed("weigh")).await;

    // It outlives the job, and still belongs to its trace.
    Ok(instana_tokio::spawn(async {
        sleep(Duration::from_millis(50)).await;
        call("after the end").await;
    }))
}

/// Works for whoever sends a message.
pub(crate) async fn work(mut messages: mpsc::Receiver<Message>) {
    while let Some((context, done)) = messages.recv().await {
        call("behind a channel").in_context(context).await;
        let _ = done.send(());
    }
}

async fn call(name: &str) {
    sleep(Duration::from_millis(2))
        .in_span(instana::exit_span(name))
        .await;
}

/// A mistake, on purpose: it blocks a thread of the runtime.
async fn weigh() {
    std::thread::sleep(Duration::from_millis(150));
}

fn timed(name: &str) -> instana::Span {
    let mut span = instana::span(name);
    span.time_polls();
    span
}
