//! The metrics that tokio has with `tokio_unstable` only.

use instana::metrics::Readings;
use tokio::runtime::RuntimeMetrics;

/// Classes of a histogram that are sent.
const MAX_CLASSES: usize = 48;

pub(super) fn read(metrics: &RuntimeMetrics, readings: &mut Readings) {
    blocking(metrics, readings);
    workers(metrics, readings);
    histogram(metrics, readings);
    io_driver(metrics, readings);
}

fn blocking(metrics: &RuntimeMetrics, readings: &mut Readings) {
    for (name, unit, value) in [
        (
            "blocking_threads",
            "threads",
            metrics.num_blocking_threads(),
        ),
        (
            "idle_blocking_threads",
            "threads",
            metrics.num_idle_blocking_threads(),
        ),
        (
            "blocking_queue_depth",
            "tasks",
            metrics.blocking_queue_depth(),
        ),
        ("local_queue_depth", "tasks", local_queues(metrics)),
    ] {
        readings.gauge(name, unit, value);
    }
}

fn local_queues(metrics: &RuntimeMetrics) -> usize {
    let workers = 0..metrics.num_workers();
    workers
        .map(|worker| metrics.worker_local_queue_depth(worker))
        .sum()
}

fn workers(metrics: &RuntimeMetrics, readings: &mut Readings) {
    let sum = |count: &dyn Fn(usize) -> u64| (0..metrics.num_workers()).map(count).sum();
    for (name, unit, count) in [
        ("spawned_tasks", "tasks", metrics.spawned_tasks_count()),
        ("remote_schedules", "tasks", metrics.remote_schedule_count()),
        (
            "local_schedules",
            "tasks",
            sum(&|worker| metrics.worker_local_schedule_count(worker)),
        ),
        (
            "forced_yields",
            "yields",
            metrics.budget_forced_yield_count(),
        ),
        (
            "polls",
            "polls",
            sum(&|worker| metrics.worker_poll_count(worker)),
        ),
        (
            "steals",
            "tasks",
            sum(&|worker| metrics.worker_steal_count(worker)),
        ),
        (
            "steal_operations",
            "operations",
            sum(&|worker| metrics.worker_steal_operations(worker)),
        ),
        (
            "overflows",
            "overflows",
            sum(&|worker| metrics.worker_overflow_count(worker)),
        ),
        (
            "noop_unparks",
            "unparks",
            sum(&|worker| metrics.worker_noop_count(worker)),
        ),
    ] {
        readings.counter(name, unit, count);
    }
    let means = (0..metrics.num_workers()).map(|worker| metrics.worker_mean_poll_time(worker));
    if let Some(mean) = means.max() {
        let micros = mean.as_secs_f64() * 1e6;
        readings.gauge("mean_poll", "µs", micros);
    }
}

/// Polls by their length, where the runtime was built with the histogram. The last
/// class has no upper bound.
fn histogram(metrics: &RuntimeMetrics, readings: &mut Readings) {
    if !metrics.poll_time_histogram_enabled() {
        return;
    }
    let classes = metrics.poll_time_histogram_num_buckets();
    for class in 0..classes.min(MAX_CLASSES) {
        let polls = (0..metrics.num_workers())
            .map(|worker| metrics.poll_time_histogram_bucket_count(worker, class))
            .sum();
        let from = metrics.poll_time_histogram_bucket_range(class).start;
        let name = format!("polls_from_{}_us", from.as_micros());
        readings.counter(&name, "polls", polls);
    }
}

#[cfg(not(feature = "net"))]
fn io_driver(_: &RuntimeMetrics, _: &mut Readings) {}

#[cfg(feature = "net")]
fn io_driver(metrics: &RuntimeMetrics, readings: &mut Readings) {
    for (name, unit, count) in [
        (
            "io_registered",
            "files",
            metrics.io_driver_fd_registered_count(),
        ),
        (
            "io_deregistered",
            "files",
            metrics.io_driver_fd_deregistered_count(),
        ),
        ("io_events", "events", metrics.io_driver_ready_count()),
    ] {
        readings.counter(name, unit, count);
    }
}
