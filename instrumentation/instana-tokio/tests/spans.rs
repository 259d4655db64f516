//! Tasks belong to the trace that spawned them.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashMap;
use std::sync::Arc;

use instana::span::Kind;
use instana::testing::Recorder;
use instana::{Context, FutureExt};
use instana_tokio::JoinSet;
use tokio::sync::Barrier;
use tokio::task::LocalSet;

/// Trace and span id of the code that runs.
fn ids() -> (Option<String>, Option<String>) {
    let context = Context::current();
    (context.trace_id(), context.span_id())
}

#[tokio::test]
async fn an_exit_of_a_task_is_a_child_of_the_span_that_spawned_it() {
    let recorder = Recorder::new();
    let work = async {
        let entry = instana::entry_span("job");
        async {
            instana_tokio::spawn(async { instana::exit_span("call").end() })
                .await
                .unwrap();
            instana_tokio::spawn_blocking(|| instana::exit_span("block").end())
                .await
                .unwrap();
        }
        .in_span(entry)
        .await;
    };
    recorder.scope(work).await;
    let entry = recorder.span("sdk", Kind::Entry);
    let exits: Vec<_> = recorder
        .spans()
        .into_iter()
        .filter(|span| span.kind() == Kind::Exit)
        .collect();
    assert_eq!(exits.len(), 2);
    for exit in exits {
        assert_eq!(exit.parent(), entry.id());
        assert_eq!(exit.trace(), entry.trace());
    }
}

#[tokio::test]
async fn a_task_that_outlives_its_entry_still_belongs_to_the_trace() {
    let recorder = Recorder::new();
    let (ended, wait) = tokio::sync::oneshot::channel::<()>();
    let task = recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            instana_tokio::spawn(async {
                wait.await.unwrap();
                assert_eq!(instana::current(|_| ()), None, "the span is not here");
                instana::exit_span("late").end();
            })
        })
    });
    let entry = recorder.span("sdk", Kind::Entry);
    ended.send(()).unwrap();
    task.await.unwrap();
    let exit = recorder.span("sdk", Kind::Exit);
    assert_eq!(exit.parent(), entry.id());
    assert_eq!(exit.trace(), entry.trace());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_task_of_64_on_4_workers_has_a_foreign_parent() {
    const TASKS: usize = 64;
    const STEPS: usize = 20;
    let recorder = Recorder::new();
    let barrier = Arc::new(Barrier::new(TASKS));
    let all = (0..TASKS).map(|number| {
        let barrier = barrier.clone();
        let recorder = recorder.clone();
        tokio::spawn(async move {
            let job = async move {
                let entry = instana::entry_span(&format!("job {number}"));
                steps(number, STEPS, barrier).in_span(entry).await;
            };
            recorder.scope(job).await;
        })
    });
    for task in all.collect::<Vec<_>>() {
        task.await.unwrap();
    }

    let spans = recorder.spans();
    assert_eq!(spans.len(), TASKS * (1 + STEPS));
    let entries: HashMap<String, _> = spans
        .iter()
        .filter(|span| span.kind() == Kind::Entry)
        .map(|entry| (entry.id(), entry))
        .collect();
    for exit in spans.iter().filter(|span| span.kind() == Kind::Exit) {
        let entry = entries[&exit.parent()];
        assert_eq!(exit.trace(), entry.trace());
        assert_eq!(
            exit.text("data.sdk.name"),
            entry.text("data.sdk.name"),
            "named like the entry it belongs to"
        );
    }
}

/// Exits in tasks that move between workers, in step with all the other jobs.
async fn steps(number: usize, steps: usize, barrier: Arc<Barrier>) {
    barrier.wait().await;
    let mut tasks = JoinSet::new();
    for _ in 0..steps {
        tasks.spawn(async move {
            let exit = instana::exit_span(&format!("job {number}"));
            tokio::task::yield_now().in_span(exit).await;
        });
        tokio::task::yield_now().await;
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn every_way_to_spawn_on_a_set_carries_the_context() {
    let recorder = Recorder::new();
    let local = LocalSet::new();
    let handle = tokio::runtime::Handle::current();
    let job = async {
        let entry = instana::entry_span("job");
        let expected = (entry.context().trace_id(), entry.context().span_id());
        async {
            let mut set = JoinSet::new();
            set.spawn(async { ids() });
            set.spawn_on(async { ids() }, &handle);
            set.spawn_blocking(ids);
            set.spawn_blocking_on(ids, &handle);
            set.spawn_local(async { ids() });
            set.spawn_local_on(async { ids() }, &local);
            set.extend([async { ids() }]);
            assert_eq!(set.len(), 7);
            let seen = async {
                let one = instana_tokio::spawn_local(async { ids() }).await.unwrap();
                let mut seen = set.join_all().await;
                seen.push(one);
                seen
            };
            local.run_until(seen).await
        }
        .in_span(entry)
        .await
        .into_iter()
        .for_each(|seen| assert_eq!(seen, expected));
    };
    LocalSet::new().run_until(recorder.scope(job)).await;
}

#[tokio::test]
async fn an_aborted_task_says_so_on_its_exit() {
    let recorder = Recorder::new();
    let job = async {
        let entry = instana::entry_span("job");
        async {
            let (started, wait) = tokio::sync::oneshot::channel();
            let mut set = JoinSet::new();
            set.spawn(async {
                let exit = instana::exit_span("call");
                async {
                    started.send(()).unwrap();
                    std::future::pending::<()>().await;
                }
                .in_span(exit)
                .await;
            });
            wait.await.unwrap();
            set.shutdown().await;
        }
        .in_span(entry)
        .await;
    };
    recorder.scope(job).await;
    let exit = recorder.span("sdk", Kind::Exit);
    assert_eq!(exit.errors(), 1);
    let error = exit.text("data.sdk.custom.tags.error").unwrap();
    assert!(error.starts_with("cancelled after "), "{error}");
    assert_eq!(recorder.span("sdk", Kind::Entry).errors(), 0);
}

#[tokio::test]
async fn a_task_that_panics_fails_like_one_of_tokio() {
    let recorder = Recorder::new();
    let job = async {
        let entry = instana::entry_span("job");
        async { instana_tokio::spawn(async { panic!("on purpose") }).await }
            .in_span(entry)
            .await
    };
    let result: Result<(), _> = recorder.scope(job).await;
    assert!(result.unwrap_err().is_panic());
    assert_eq!(
        recorder.span("sdk", Kind::Entry).errors(),
        0,
        "the task panicked, not the job"
    );
}

#[tokio::test]
async fn a_suppressed_context_stays_suppressed_in_tasks() {
    let recorder = Recorder::new();
    let job = async {
        let incoming = instana::propagation::Incoming::suppressed();
        let entry = instana::Span::entry(&instana::span::http::ENTRY, &incoming);
        async {
            let suppressed = || Context::current().is_suppressed();
            assert!(
                instana_tokio::spawn(async move { suppressed() })
                    .await
                    .unwrap()
            );
            assert!(instana_tokio::spawn_blocking(suppressed).await.unwrap());
        }
        .in_span(entry)
        .await;
    };
    recorder.scope(job).await;
    assert!(recorder.spans().is_empty());
}

#[tokio::test]
async fn without_a_tracer_tasks_run_as_ever() {
    let task = instana_tokio::spawn(async { ids() });
    assert_eq!(task.await.unwrap(), (None, None));
    let block = instana_tokio::spawn_blocking(ids);
    assert_eq!(block.await.unwrap(), (None, None));
    let mut set: JoinSet<usize> = (0..3).map(|n| async move { n }).collect();
    let mut sum = 0;
    while let Some(result) = set.join_next().await {
        sum += result.unwrap();
    }
    assert_eq!(sum, 3);
    assert!(set.is_empty());
    assert!(set.into_inner().is_empty());
}
