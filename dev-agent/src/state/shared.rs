//! The state behind its lock, and the signals for changes of it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::State;

/// The state, shared by the agent's thread and its handles.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    changes: watch::Sender<u64>,
    /// New spans: the task that finishes traces has something to wait for.
    pub(crate) spans: Notify,
    /// Counts up when faults are cleared: hanging requests end.
    pub(crate) unhang: watch::Sender<u64>,
    /// Counts up when open connections are to be dropped.
    pub(crate) hang_up: watch::Sender<u64>,
    pub(crate) started: Instant,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            changes: watch::Sender::new(0),
            spans: Notify::new(),
            unhang: watch::Sender::new(0),
            hang_up: watch::Sender::new(0),
            started: Instant::now(),
        }
    }

    /// Changes, for those that wait in the agent's own thread.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Reads the state.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    /// Changes the state and wakes all that wait.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
        changed
    }

    /// Changes the state in a way that nobody waits for.
    pub(crate) fn tidy(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
    }

    /// Waits until `ready` returns something; at the deadline its last chance
    /// has passed and `late` describes what was there.
    pub(crate) fn wait<T, E>(
        &self,
        timeout: Duration,
        mut ready: impl FnMut(&State) -> Option<T>,
        late: impl FnOnce(&State) -> E,
    ) -> Result<T, E> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if let Some(ready) = ready(&state) {
                return Ok(ready);
            }
            let Some(left) = deadline
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())
            else {
                return Err(late(&state));
            };
            let woken = self.changed.wait_timeout(state, left);
            (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
