//! Plain tasks of a runtime with hooks: `RUSTFLAGS="--cfg tokio_unstable"`.
#![cfg(tokio_unstable)]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::HashMap;

use instana::span::Kind;
use instana::testing::Recorder;
use instana::{Context, FutureExt};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

fn workers() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(4);
    instana_tokio::propagate(&mut builder).build().unwrap()
}

fn one_thread() -> Runtime {
    let mut builder = Builder::new_current_thread();
    instana_tokio::propagate(&mut builder).build().unwrap()
}

/// A task that spawns plain tasks, which spawn plain tasks.
async fn job(number: usize) {
    let call = format!("job {number}");
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let call = call.clone();
            tokio::spawn(async move {
                yield_now().await;
                let inner = tokio::spawn(async move {
                    yield_now().await;
                    instana::exit_span(&call).end();
                });
                inner.await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn plain_tasks_belong_to_the_trace_that_spawned_them() {
    for runtime in [workers(), one_thread()] {
        let recorder = Recorder::new();
        let all: Vec<_> = (0..64)
            .map(|number| {
                let job = async move {
                    let entry = instana::entry_span(&format!("job {number}"));
                    job(number).in_span(entry).await;
                };
                runtime.spawn(recorder.scope(job))
            })
            .collect();
        runtime.block_on(async {
            for task in all {
                task.await.unwrap();
            }
        });
        let spans = recorder.spans();
        assert_eq!(spans.len(), 64 * 11);
        let entries: HashMap<String, _> = spans
            .iter()
            .filter(|span| span.kind() == Kind::Entry)
            .map(|entry| (entry.id(), entry))
            .collect();
        for exit in spans.iter().filter(|span| span.kind() == Kind::Exit) {
            let entry = entries[&exit.parent()];
            assert_eq!(exit.text("data.sdk.name"), entry.text("data.sdk.name"));
        }
    }
}

#[test]
fn a_task_spawned_outside_is_outside_also_when_its_thread_is_not() {
    let runtime = one_thread();
    let recorder = Recorder::new();
    let outside = runtime.spawn(async {
        yield_now().await;
        Context::current().is_empty()
    });
    recorder.enter(|| {
        instana::entry_span("job").enter(|| {
            runtime.block_on(async {
                assert!(outside.await.unwrap());
                let inside = tokio::spawn(async { Context::current().span_id() });
                assert_eq!(inside.await.unwrap(), Context::current().span_id());
            });
            assert!(instana::current(|job| job.tag("here", true)).is_some());
        });
    });
    assert_eq!(recorder.spans().len(), 1);
    assert!(Context::current().is_empty());
}

fn nested() -> Option<String> {
    let seen = async {
        let task = tokio::spawn(async {
            yield_now().await;
            Context::current().span_id()
        });
        task.await.unwrap()
    };
    one_thread().block_on(seen)
}

#[test]
fn a_runtime_inside_of_a_task_of_another() {
    let recorder = Recorder::new();
    let runtime = workers();
    let job = async {
        let seen = tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                let context = Context::current();
                scope.spawn(|| context.enter(nested)).join().unwrap()
            })
        });
        assert_eq!(seen, Context::current().span_id());
    };
    runtime
        .block_on(runtime.spawn(recorder.in_entry(job)))
        .unwrap();
    assert_eq!(recorder.spans().len(), 1);
}

#[test]
fn aborted_and_panicking_tasks_leave_their_thread_as_it_was() {
    let runtime = one_thread();
    let recorder = Recorder::new();
    let job = async {
        let panics = tokio::spawn(async { panic!("on purpose") });
        let result: Result<(), _> = panics.await;
        assert!(result.unwrap_err().is_panic());
        let aborted = tokio::spawn(std::future::pending::<()>());
        yield_now().await;
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        instana::exit_span("after").end();
    };
    runtime.block_on(recorder.in_entry(job));
    recorder.assert_tree("entry job\n  exit after\n");
    runtime.block_on(async {
        let plain = tokio::spawn(async { Context::current().is_empty() });
        assert!(plain.await.unwrap());
    });
}

#[test]
fn a_suppressed_context_and_a_blocking_task() {
    let runtime = workers();
    runtime.block_on(
        async {
            let task = tokio::spawn(async {
                yield_now().await;
                let blocking = instana_tokio::spawn_blocking(|| Context::current().is_suppressed());
                (Context::current().is_suppressed(), blocking.await.unwrap())
            });
            assert_eq!(task.await.unwrap(), (true, true));
        }
        .suppress(),
    );
}

#[cfg(feature = "tracing")]
#[test]
fn named_tasks_carry_the_context() {
    let recorder = Recorder::new();
    let runtime = Builder::new_current_thread().build().unwrap();
    let job = async {
        let expected = Context::current().span_id();
        let seen = || Context::current().span_id();
        let builder = || instana_tokio::Builder::new().name("named");
        let handle = tokio::runtime::Handle::current();
        let local = tokio::task::LocalSet::new();
        let mut set = instana_tokio::JoinSet::new();
        let of_set = set.build_task().name("of a set");
        of_set.spawn(async move { seen() }).unwrap();
        set.build_task().spawn_blocking(seen).unwrap();
        let tasks = [
            builder().spawn(async move { seen() }).unwrap(),
            builder().spawn_on(async move { seen() }, &handle).unwrap(),
            builder().spawn_blocking(seen).unwrap(),
            builder().spawn_blocking_on(seen, &handle).unwrap(),
            builder()
                .spawn_local_on(async move { seen() }, &local)
                .unwrap(),
        ];
        let work = async {
            for task in tasks {
                assert_eq!(task.await.unwrap(), expected);
            }
            let task = builder().spawn_local(async move { seen() }).unwrap();
            assert_eq!(task.await.unwrap(), expected);
        };
        local.run_until(work).await;
        assert_eq!(set.join_all().await, [expected.clone(), expected]);
    };
    runtime.block_on(recorder.in_entry(job));
    assert_eq!(recorder.spans().len(), 1);
}
