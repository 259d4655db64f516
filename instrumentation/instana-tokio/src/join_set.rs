//! Sets of tasks.

use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};

use instana::FutureExt;
use tokio::runtime::Handle;
use tokio::task::{self, AbortHandle, Id, JoinError, LocalSet};

use crate::spawn::in_current_context;

/// [`tokio::task::JoinSet`], whose tasks run in the context of the code that
/// spawns them.
pub struct JoinSet<T> {
    inner: task::JoinSet<T>,
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of tasks in the set.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// True without tasks.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// The wrapped set.
    pub fn inner(&self) -> &task::JoinSet<T> {
        &self.inner
    }

    /// The wrapped set, for changes. Tasks that are spawned on it have no context.
    pub fn inner_mut(&mut self) -> &mut task::JoinSet<T> {
        &mut self.inner
    }

    /// Takes the set out, with its tasks.
    pub fn into_inner(self) -> task::JoinSet<T> {
        self.inner
    }
}

impl<T: 'static> JoinSet<T> {
    /// As [`tokio::task::JoinSet::build_task`]. Only with the feature `tracing` and
    /// `RUSTFLAGS="--cfg tokio_unstable"`.
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    pub fn build_task(&mut self) -> crate::JoinSetBuilder<'_, T> {
        crate::JoinSetBuilder::new(self.inner.build_task())
    }

    /// As [`tokio::task::JoinSet::spawn`].
    ///
    /// # Panics
    /// As tokio's, outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.inner.spawn(task.in_current_span())
    }

    /// As [`tokio::task::JoinSet::spawn_on`].
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.inner.spawn_on(task.in_current_span(), handle)
    }

    /// As [`tokio::task::JoinSet::spawn_local`].
    ///
    /// # Panics
    /// As tokio's, outside of a `LocalSet` or a local runtime.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.inner.spawn_local(task.in_current_span())
    }

    /// As [`tokio::task::JoinSet::spawn_local_on`].
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.inner.spawn_local_on(task.in_current_span(), local_set)
    }

    /// As [`tokio::task::JoinSet::spawn_blocking`].
    ///
    /// # Panics
    /// As tokio's, outside of a runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.inner.spawn_blocking(in_current_context(f))
    }

    /// As [`tokio::task::JoinSet::spawn_blocking_on`].
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.inner.spawn_blocking_on(in_current_context(f), handle)
    }

    /// As [`tokio::task::JoinSet::join_next`], and as cancel safe.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.inner.join_next().await
    }

    /// As [`tokio::task::JoinSet::join_next_with_id`], and as cancel safe.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.inner.join_next_with_id().await
    }

    /// As [`tokio::task::JoinSet::try_join_next`].
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.inner.try_join_next()
    }

    /// As [`tokio::task::JoinSet::try_join_next_with_id`].
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.inner.try_join_next_with_id()
    }

    /// As [`tokio::task::JoinSet::shutdown`].
    pub async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }

    /// As [`tokio::task::JoinSet::join_all`].
    ///
    /// # Panics
    /// As tokio's, when a task panicked or was cancelled.
    pub async fn join_all(self) -> Vec<T> {
        self.inner.join_all().await
    }

    /// As [`tokio::task::JoinSet::abort_all`].
    pub fn abort_all(&mut self) {
        self.inner.abort_all();
    }

    /// As [`tokio::task::JoinSet::detach_all`].
    pub fn detach_all(&mut self) {
        self.inner.detach_all();
    }

    /// As [`tokio::task::JoinSet::poll_join_next`].
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.inner.poll_join_next(cx)
    }

    /// As [`tokio::task::JoinSet::poll_join_next_with_id`].
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.inner.poll_join_next_with_id(cx)
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self {
            inner: task::JoinSet::new(),
        }
    }
}

impl<T> From<task::JoinSet<T>> for JoinSet<T> {
    fn from(inner: task::JoinSet<T>) -> Self {
        Self { inner }
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(tasks: I) -> Self {
        let mut set = Self::new();
        set.extend(tasks);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, tasks: I) {
        for task in tasks {
            self.spawn(task);
        }
    }
}
