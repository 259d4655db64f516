//! Runtimes whose tasks carry the context by themselves.

use std::cell::RefCell;
use std::sync::Arc;

use instana::{Context, Span};
use tokio::runtime::Builder;

use crate::contexts::Contexts;

thread_local! {
    /// The contexts of this thread before each of the tasks that it polls: more than one
    /// if a task runs another runtime.
    static LEFT: RefCell<Vec<Span>> = const { RefCell::new(Vec::new()) };
}

/// Makes the tasks of a runtime run in the context of the code that spawns them,
/// including tasks of plain [`tokio::spawn`] and of libraries: nothing else has to
/// change. Only with `RUSTFLAGS="--cfg tokio_unstable"`, because it uses tokio's task
/// hooks.
///
/// ```
/// let mut builder = tokio::runtime::Builder::new_multi_thread();
/// let runtime = instana_tokio::propagate(&mut builder).build()?;
/// # drop(runtime);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It sets `on_task_spawn`, `on_before_task_poll`, `on_after_task_poll` and
/// `on_task_terminate`, of which a runtime has one each.
///
/// tokio has no place in a task for a context, so contexts are kept beside the
/// runtime. A spawn and the end of a task insert and remove one; each poll looks it
/// up: one lock of 64, which the others hold for some nanoseconds, and two moves of a
/// pointer. Tasks that were spawned outside of any context take no lock as long as
/// few have one.
///
/// `spawn_blocking` and the tasks of a `LocalSet` have no hooks:
/// [`spawn_blocking`](crate::spawn_blocking) and [`spawn_local`](crate::spawn_local)
/// carry the context there. A task that is aborted is dropped outside of its context.
pub fn propagate(builder: &mut Builder) -> &mut Builder {
    let spawned = Arc::new(Contexts::default());
    let (polled, ended) = (Arc::clone(&spawned), Arc::clone(&spawned));
    builder
        .on_task_spawn(move |task| spawned.keep(task.id(), Context::current()))
        .on_before_task_poll(move |task| enter(polled.of(task.id())))
        .on_after_task_poll(|_| leave())
        .on_task_terminate(move |task| ended.forget(task.id()))
}

/// A task without a context is polled outside of any, too: its thread may be inside
/// of a span around `block_on`.
fn enter(context: Option<Context>) {
    let span = context.map_or(Span::none(), Span::carrier);
    // At the thread's end there is no context to restore.
    let _ = LEFT.try_with(|left| left.borrow_mut().push(span.make_current()));
}

fn leave() {
    let left = LEFT.try_with(|left| left.borrow_mut().pop());
    if let Ok(Some(left)) = left {
        drop(left.make_current());
    }
}
