//! How busy the workers are.

use std::time::{Duration, Instant};

use instana::metrics::Readings;
use tokio::runtime::RuntimeMetrics;

/// In a shorter interval, a share has no meaning.
const SHORTEST: Duration = Duration::from_millis(100);

/// What was read last.
#[derive(Debug)]
pub(super) struct Workers {
    at: Instant,
    workers: Vec<Worker>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Worker {
    busy: Duration,
    parks: u64,
    /// Odd while it is parked.
    parks_and_unparks: u64,
}

impl Workers {
    pub(super) fn new(metrics: &RuntimeMetrics) -> Self {
        Self {
            at: Instant::now(),
            workers: read(metrics),
        }
    }

    /// How many workers are blocked.
    pub(super) fn read(&mut self, metrics: &RuntimeMetrics, readings: &mut Readings) -> usize {
        let now = Self::new(metrics);
        let parks = now.workers.iter().map(|worker| worker.parks).sum();
        readings.counter("parks", "parks", parks);
        let elapsed = now.at.saturating_duration_since(self.at);
        if elapsed < SHORTEST {
            return 0;
        }
        let pairs = self.workers.iter().zip(&now.workers);
        let shares: Vec<f64> = pairs.map(|(then, now)| now.share(then, elapsed)).collect();
        let pairs = self.workers.iter().zip(&now.workers);
        let blocked = pairs.filter(|(then, now)| now.is_stuck_since(then)).count();
        let busiest = shares.iter().copied().fold(0.0, f64::max);
        let busy = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        readings.gauge("busy_ratio", "ratio", rounded(busy));
        readings.gauge("busiest_worker_ratio", "ratio", rounded(busiest));
        readings.gauge("blocked_workers", "threads", blocked);
        *self = now;
        blocked
    }
}

impl Worker {
    /// It was in one poll all the time, or in a few long ones: a worker reports its
    /// counters when it parks, and every `event_interval` polls, which are 61.
    fn is_stuck_since(&self, then: &Self) -> bool {
        self == then && self.parks_and_unparks % 2 == 0
    }

    /// The share of the time in which it was busy.
    fn share(&self, then: &Self, elapsed: Duration) -> f64 {
        if self.is_stuck_since(then) {
            return 1.0;
        }
        let busy = self.busy.saturating_sub(then.busy);
        // The time that it reports at last may be from before the interval.
        (busy.as_secs_f64() / elapsed.as_secs_f64()).min(1.0)
    }
}

/// To a ten-thousandth: more digits say no more.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

fn read(metrics: &RuntimeMetrics) -> Vec<Worker> {
    let workers = 0..metrics.num_workers();
    let worker = |number| Worker {
        busy: metrics.worker_total_busy_duration(number),
        parks: metrics.worker_park_count(number),
        parks_and_unparks: metrics.worker_park_unpark_count(number),
    };
    workers.map(worker).collect()
}
