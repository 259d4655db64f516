//! Metrics of runtimes.

mod probe;
#[cfg(all(tokio_unstable, target_has_atomic = "64"))]
mod unstable;
#[cfg(not(all(tokio_unstable, target_has_atomic = "64")))]
#[path = "unstable_none.rs"]
mod unstable;
#[cfg(target_has_atomic = "64")]
mod workers;
#[cfg(not(target_has_atomic = "64"))]
#[path = "workers_none.rs"]
mod workers;

use std::process;

use instana::metrics::{self, Readings, Registration, Source};
use tokio::runtime::{Handle, RuntimeFlavor};

use self::probe::Probe;
use self::workers::Workers;

/// Metrics of a runtime, sent each second: workers, tasks, queues, how busy the workers
/// are and how long a task waits for one. `docs/METRICS.md` lists all of them.
///
/// ```
/// use instana_tokio::RuntimeMetrics;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// RuntimeMetrics::new(&tokio::runtime::Handle::current()).register();
/// # }
/// ```
///
/// Each runtime is a source of its own, `tokio` or `tokio <name>`. It is read once a
/// second, on a thread of the tracer. Each reading spawns one task that measures how long
/// it waits for a worker, so the cost for the runtime is one task a second. The source
/// keeps the memory of the runtime's scheduler until the runtime has been shut down; then
/// it unregisters itself, as it does in a forked child, which has no workers.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is registered"]
pub struct RuntimeMetrics {
    handle: Handle,
    name: String,
}

impl RuntimeMetrics {
    /// The metrics of the runtime of `handle`.
    pub fn new(handle: &Handle) -> Self {
        Self {
            handle: handle.clone(),
            name: String::new(),
        }
    }

    /// The name of the runtime, if there are several. A name that is taken gets a number.
    pub fn name(mut self, name: &str) -> Self {
        name.trim().clone_into(&mut self.name);
        self
    }

    /// Sends them from now on.
    pub fn register(self) -> Registration {
        let name = format!("tokio {}", self.name);
        metrics::register(name.trim(), Runtime::new(self.handle))
    }
}

/// A runtime as a source.
#[derive(Debug)]
struct Runtime {
    /// `None` when it has been shut down.
    handle: Option<Handle>,
    /// The one in which its workers are.
    process: u32,
    probe: Probe,
    workers: Workers,
}

impl Runtime {
    fn new(handle: Handle) -> Self {
        Self {
            workers: Workers::new(&handle.metrics()),
            handle: Some(handle),
            process: process::id(),
            probe: Probe::default(),
        }
    }

    /// In a forked child, which has none of its workers.
    fn is_left_behind(&self, handle: &Handle) -> bool {
        self.process != process::id() && handle.runtime_flavor() == RuntimeFlavor::MultiThread
    }
}

impl Source for Runtime {
    fn sample(&mut self, readings: &mut Readings) {
        let handle = self.handle.take();
        self.handle = handle.filter(|handle| !self.is_left_behind(handle));
        let Some(handle) = &self.handle else { return };
        let Ok(delay) = self.probe.delay() else {
            self.handle = None;
            return;
        };
        let metrics = handle.metrics();
        let tasks = metrics.num_alive_tasks();
        let probes = usize::from(self.probe.is_alive());
        readings.gauge("workers", "threads", metrics.num_workers());
        readings.gauge("alive_tasks", "tasks", tasks.saturating_sub(probes));
        readings.gauge("global_queue_depth", "tasks", metrics.global_queue_depth());
        if let Some(delay) = delay {
            let millis = delay.as_secs_f64() * 1_000.0;
            readings.gauge("scheduling_delay", "ms", millis);
        }
        let blocked = self.workers.read(&metrics, readings);
        // A runtime with a single thread need not be driven.
        if blocked > 0 && handle.runtime_flavor() == RuntimeFlavor::MultiThread {
            let workers = metrics.num_workers();
            let text = format!(
                "{blocked} of {workers} workers have been in one poll each, or in a few long \
                 ones, since the last metrics; tasks wait {:.0} ms for a worker. Poll timing (INSTANA_POLL_TIMING) \
                 shows which calls block.",
                delay.unwrap_or_default().as_secs_f64() * 1_000.0
            );
            readings.problem("A tokio runtime is blocked", &text);
        }
        unstable::read(&metrics, readings);
        // At the end, because the new task changes the metrics.
        self.probe.spawn(handle);
    }

    fn is_over(&self) -> bool {
        self.handle.is_none()
    }
}

#[cfg(test)]
mod tests;
