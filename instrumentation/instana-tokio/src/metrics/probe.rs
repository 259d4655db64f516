//! The probe: a task that only measures how long it waits for a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// A probe that was not polled yet.
const WAITS: u64 = u64::MAX;

/// One task at a time.
#[derive(Debug, Default)]
pub(super) struct Probe {
    task: Option<Task>,
}

#[derive(Debug)]
struct Task {
    handle: JoinHandle<()>,
    spawned: Instant,
    /// Nanoseconds.
    waited: Arc<AtomicU64>,
}

/// The runtime takes no tasks any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShutDown;

impl Probe {
    /// How long the last task waited, or has been waiting until now; `None` before the
    /// first one.
    pub(super) fn delay(&self) -> Result<Option<Duration>, ShutDown> {
        self.task.as_ref().map(Task::delay).transpose()
    }

    /// Spawns the next task, unless one still waits.
    pub(super) fn spawn(&mut self, runtime: &Handle) {
        if !self.is_alive() {
            self.task = Some(Task::spawn(runtime));
        }
    }

    /// A task of it is in the runtime.
    pub(super) fn is_alive(&self) -> bool {
        let task = self.task.as_ref();
        task.is_some_and(|task| !task.handle.is_finished())
    }
}

impl Task {
    fn spawn(runtime: &Handle) -> Self {
        let spawned = Instant::now();
        let waited = Arc::new(AtomicU64::new(WAITS));
        let noted = Arc::clone(&waited);
        let handle = runtime.spawn(async move {
            let nanos = u64::try_from(spawned.elapsed().as_nanos());
            noted.store(nanos.unwrap_or(WAITS - 1), Ordering::Release);
        });
        Self {
            handle,
            spawned,
            waited,
        }
    }

    fn delay(&self) -> Result<Duration, ShutDown> {
        // In this order: one that ends in between has noted how long it waited.
        let is_finished = self.handle.is_finished();
        match self.waited.load(Ordering::Acquire) {
            WAITS if is_finished => Err(ShutDown),
            WAITS => Ok(self.spawned.elapsed()),
            nanos => Ok(Duration::from_nanos(nanos)),
        }
    }
}
