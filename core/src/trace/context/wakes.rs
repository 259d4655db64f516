//! When the task that polls a future was woken: between that and its next poll, it
//! waits for a free thread.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use crate::base::clock;

/// The waker that a future gets whose polls are timed: it wakes the task, and notes
/// when.
#[derive(Debug)]
pub(crate) struct Wakes {
    shared: Arc<Shared>,
    /// Made of it once: it stays the same for all polls, so that futures need not keep a
    /// new one.
    waker: Waker,
    /// As in `shared`, to be looked at without its lock.
    task: Waker,
}

#[derive(Debug)]
struct Shared {
    /// Ticks of the first wake since the last poll began; 0: there was none.
    woken: AtomicU64,
    task: Mutex<Waker>,
}

impl Wakes {
    #[expect(
        clippy::redundant_clone,
        reason = "a clone looks like those that are made of it; the first one may not"
    )]
    pub(crate) fn new(task: &Waker) -> Self {
        let shared = Arc::new(Shared {
            woken: AtomicU64::new(0),
            task: Mutex::new(task.clone()),
        });
        Self {
            waker: Waker::from(Arc::clone(&shared)).clone(),
            shared,
            task: task.clone(),
        }
    }

    #[inline]
    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// `task` is about to poll; when it was woken, in ticks, or 0.
    #[inline]
    pub(crate) fn take(&mut self, task: &Waker) -> u64 {
        if !self.task.will_wake(task) {
            self.moved(task);
        }
        let woken = self.shared.woken.load(Ordering::Relaxed);
        if woken != 0 {
            self.shared.woken.store(0, Ordering::Relaxed);
        }
        woken
    }

    /// Another task polls now.
    #[cold]
    fn moved(&mut self, task: &Waker) {
        self.task.clone_from(task);
        let task = task.clone();
        let before = mem::replace(&mut *self.shared.lock(), task);
        // Not under the lock: it may be the last of a task, whose end may run anything.
        drop(before);
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waker> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let now = clock::ticks().max(1);
        // Later ones wake a task that is awake.
        let _ = self
            .woken
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        // Not under the lock: waking may run anything.
        let task = self.lock().clone();
        task.wake();
    }
}
