//! Tasks that move to another thread at each step keep their parents.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests"
)]

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use instana::FutureExt;
use instana::span::Kind;
use instana::testing::Recorder;

const TASKS: usize = 64;
const STEPS: usize = 17;
const ROUNDS: usize = 92;
const _: () = assert!(TASKS * STEPS * ROUNDS >= 100_000);

/// Tries until another worker polls; the queue of all workers is as likely to be
/// read by one as by the other.
const MAX_TRIES: usize = 10_000;

/// Wakes tasks from outside of the runtime: they land in the queue that all workers
/// share.
fn waking() -> mpsc::Sender<Waker> {
    let (sender, wakers) = mpsc::channel::<Waker>();
    thread::spawn(move || wakers.iter().for_each(Waker::wake));
    sender
}

/// Is done as soon as another thread polls it than the first.
struct Migrate {
    from: Option<ThreadId>,
    tries: usize,
    waking: mpsc::Sender<Waker>,
    migrations: Arc<AtomicUsize>,
}

impl Future for Migrate {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let here = thread::current().id();
        let from = *self.from.get_or_insert(here);
        if from != here {
            self.migrations.fetch_add(1, Ordering::Relaxed);
            return Poll::Ready(());
        }
        self.tries += 1;
        if self.tries > MAX_TRIES {
            return Poll::Ready(());
        }
        self.waking.send(cx.waker().clone()).unwrap();
        Poll::Pending
    }
}

/// Exits before, across and after migrations, in an entry and in a span below.
async fn steps(
    number: usize,
    waking: mpsc::Sender<Waker>,
    migrations: Arc<AtomicUsize>,
) -> Result<(), tokio::task::JoinError> {
    let migrate = move || Migrate {
        from: None,
        tries: 0,
        waking: waking.clone(),
        migrations: Arc::clone(&migrations),
    };
    let call = format!("job {number}");
    for step in 0..STEPS {
        let migrate = migrate();
        let exit = instana::exit_span(&call);
        if step % 2 == 0 {
            migrate.in_span(exit).await;
        } else {
            instana_tokio::spawn(migrate.in_span(exit)).await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_exit_has_a_foreign_parent() {
    let waking = waking();
    let migrations = Arc::new(AtomicUsize::new(0));
    for _ in 0..ROUNDS {
        let recorder = Recorder::new();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..TASKS {
            let (waking, migrations) = (waking.clone(), Arc::clone(&migrations));
            let job = async move {
                let entry = instana::entry_span(&format!("job {number}"));
                steps(number, waking, migrations).in_span(entry).await
            };
            tasks.spawn(recorder.scope(job));
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap().unwrap();
        }
        assert_own_parents(&recorder);
    }
    let migrations = migrations.load(Ordering::Relaxed);
    let all = TASKS * STEPS * ROUNDS;
    assert!(migrations > all / 10 * 9, "{migrations} of {all}");
}

fn assert_own_parents(recorder: &Recorder) {
    let spans = recorder.spans();
    assert_eq!(spans.len(), TASKS * (1 + STEPS));
    let entries: HashMap<String, _> = spans
        .iter()
        .filter(|span| span.kind() == Kind::Entry)
        .map(|entry| (entry.id(), entry))
        .collect();
    assert_eq!(entries.len(), TASKS);
    for exit in spans.iter().filter(|span| span.kind() == Kind::Exit) {
        let entry = entries[&exit.parent()];
        assert_eq!(exit.trace(), entry.trace());
        assert_eq!(exit.text("data.sdk.name"), entry.text("data.sdk.name"));
    }
}
