//! Single tasks.

use std::future::Future;

use instana::{Context, FutureExt};
use tokio::task::JoinHandle;

/// [`tokio::spawn`], in the context of the code that calls it.
///
/// # Panics
/// As tokio's, outside of a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future.in_current_span())
}

/// [`tokio::task::spawn_blocking`], in the context of the code that calls it.
///
/// # Panics
/// As tokio's, outside of a runtime.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(in_current_context(f))
}

/// [`tokio::task::spawn_local`], in the context of the code that calls it.
///
/// # Panics
/// As tokio's, outside of a `LocalSet` or a local runtime.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    tokio::task::spawn_local(future.in_current_span())
}

pub(crate) fn in_current_context<F, R>(f: F) -> impl FnOnce() -> R + use<F, R>
where
    F: FnOnce() -> R,
{
    let context = Context::current();
    move || context.enter(f)
}
