//! Named tasks.

use std::future::Future;
use std::io;

use instana::FutureExt;
use tokio::runtime::Handle;
use tokio::task::{self, AbortHandle, JoinHandle, LocalSet, join_set};

use crate::spawn::in_current_context;

/// [`tokio::task::Builder`], whose tasks run in the context of the code that spawns
/// them. Only with the feature `tracing` and `RUSTFLAGS="--cfg tokio_unstable"`, as
/// tokio's.
#[derive(Debug, Default)]
#[must_use = "a builder spawns nothing by itself"]
pub struct Builder<'a> {
    inner: task::Builder<'a>,
}

impl<'a> Builder<'a> {
    /// A builder of a task without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of the task.
    pub fn name(self, name: &'a str) -> Self {
        Self {
            inner: self.inner.name(name),
        }
    }

    /// As [`tokio::task::Builder::spawn`].
    ///
    /// # Errors
    /// As tokio's.
    ///
    /// # Panics
    /// As tokio's, outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.inner.spawn(future.in_current_span())
    }

    /// As [`tokio::task::Builder::spawn_on`].
    ///
    /// # Errors
    /// As tokio's.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.inner.spawn_on(future.in_current_span(), handle)
    }

    /// As [`tokio::task::Builder::spawn_local`].
    ///
    /// # Errors
    /// As tokio's.
    ///
    /// # Panics
    /// As tokio's, outside of a `LocalSet` or a local runtime.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.inner.spawn_local(future.in_current_span())
    }

    /// As [`tokio::task::Builder::spawn_local_on`].
    ///
    /// # Errors
    /// As tokio's.
    #[track_caller]
    pub fn spawn_local_on<F>(
        self,
        future: F,
        local_set: &LocalSet,
    ) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.inner
            .spawn_local_on(future.in_current_span(), local_set)
    }

    /// As [`tokio::task::Builder::spawn_blocking`].
    ///
    /// # Errors
    /// As tokio's.
    ///
    /// # Panics
    /// As tokio's, outside of a runtime.
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, f: F) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.inner.spawn_blocking(in_current_context(f))
    }

    /// As [`tokio::task::Builder::spawn_blocking_on`].
    ///
    /// # Errors
    /// As tokio's.
    #[track_caller]
    pub fn spawn_blocking_on<F, R>(self, f: F, handle: &Handle) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.inner.spawn_blocking_on(in_current_context(f), handle)
    }
}

/// [`tokio::task::join_set::Builder`], made by
/// [`JoinSet::build_task`](crate::JoinSet::build_task).
#[derive(Debug)]
#[must_use = "a builder spawns nothing by itself"]
pub struct JoinSetBuilder<'a, T> {
    inner: join_set::Builder<'a, T>,
}

impl<'a, T: 'static> JoinSetBuilder<'a, T> {
    pub(crate) fn new(inner: join_set::Builder<'a, T>) -> Self {
        Self { inner }
    }

    /// The name of the task.
    pub fn name(self, name: &'a str) -> Self {
        Self {
            inner: self.inner.name(name),
        }
    }

    /// As tokio's, in the current context.
    ///
    /// # Errors
    /// As tokio's.
    ///
    /// # Panics
    /// As tokio's, outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.inner.spawn(future.in_current_span())
    }

    /// As tokio's, in the current context.
    ///
    /// # Errors
    /// As tokio's.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.inner.spawn_on(future.in_current_span(), handle)
    }

    /// As tokio's, in the current context.
    ///
    /// # Errors
    /// As tokio's.
    ///
    /// # Panics
    /// As tokio's, outside of a `LocalSet` or a local runtime.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        self.inner.spawn_local(future.in_current_span())
    }

    /// As tokio's, in the current context.
    ///
    /// # Errors
    /// As tokio's.
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        self.inner
            .spawn_local_on(future.in_current_span(), local_set)
    }

    /// As tokio's, in the current context.
    ///
    /// # Errors
    /// As tokio's.
    ///
    /// # Panics
    /// As tokio's, outside of a runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.inner.spawn_blocking(in_current_context(f))
    }

    /// As tokio's, in the current context.
    ///
    /// # Errors
    /// As tokio's.
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, f: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.inner.spawn_blocking_on(in_current_context(f), handle)
    }
}
