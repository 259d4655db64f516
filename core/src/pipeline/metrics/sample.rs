//! One sample. What could not be read is absent, never zero.

use std::time::{Duration, Instant};

use crate::base::alloc;
use crate::trace::context::unrecorded;

/// The figures of one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Since the sample before.
    pub(super) cpu: Option<CpuLoad>,
    pub(super) memory: Option<Memory>,
    pub(super) threads: Option<u64>,
    /// Open file descriptors.
    pub(super) open_files: Option<u64>,
    /// The soft limit; absent where there is none.
    pub(super) open_files_limit: Option<u64>,
    pub(super) usage: Option<Usage>,
    pub(super) cgroup: Cgroup,
    /// What went through a metered allocator.
    pub(super) heap: Option<alloc::Counts>,
    /// The longest timed poll since the sample before, and the longest wait for a
    /// thread, in microseconds.
    pub(super) polls: Option<(u64, u64)>,
    /// Spans that were not recorded because of where they began, since the start.
    pub(super) unrecorded: unrecorded::Counts,
}

/// The control group that the process runs in. What has no limit, or cannot be read, is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cgroup {
    /// CPUs: 1.5 is one and a half.
    pub(super) cpu_limit: Option<f64>,
    /// Microseconds of CPU time since the group began.
    pub(super) cpu_usage: Option<u64>,
    /// Periods in which it was stopped because the limit was reached.
    pub(super) throttled: Option<u64>,
    /// Microseconds for which it was stopped.
    pub(super) throttled_time: Option<u64>,
    /// Bytes.
    pub(super) memory_limit: Option<u64>,
    pub(super) memory_usage: Option<u64>,
}

impl Cgroup {
    pub(super) fn is_limited(self) -> bool {
        self.cpu_limit.is_some() || self.memory_limit.is_some()
    }
}

/// Fractions of one CPU: 2.0 is two CPUs all the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CpuLoad {
    pub(super) user: f64,
    pub(super) system: f64,
}

/// Bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Memory {
    /// The size of the address space.
    pub(super) total: u64,
    /// What is in main memory.
    pub(super) resident: u64,
    /// The resident part that a file or other processes may share.
    pub(super) shared: u64,
}

impl Memory {
    /// The resident part that is the process's own: heap, stacks, written data.
    pub(super) fn anonymous(self) -> u64 {
        self.resident.saturating_sub(self.shared)
    }
}

/// What the process has used since it began (`getrusage`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Usage {
    pub(super) user: Duration,
    pub(super) system: Duration,
    /// The largest resident size so far, bytes.
    pub(super) peak: u64,
    /// Page faults without I/O.
    pub(super) minor_faults: u64,
    /// Page faults that read from a disk.
    pub(super) major_faults: u64,
    /// Context switches because a thread waited.
    pub(super) voluntary: u64,
    /// Context switches because a thread's time was up.
    pub(super) involuntary: u64,
}

/// Turns CPU times into loads.
#[derive(Debug)]
pub(super) struct CpuClock {
    before: Option<(Instant, Usage)>,
}

/// Over less time, a load says nothing.
const SHORTEST: Duration = Duration::from_millis(10);

impl CpuClock {
    pub(super) fn new(now: Instant, usage: Option<Usage>) -> Self {
        Self {
            before: usage.map(|usage| (now, usage)),
        }
    }

    /// The load since the last call that had one. Absent right after the last
    /// one, and where times run backwards, as in a forked child.
    pub(super) fn load(&mut self, now: Instant, usage: Usage) -> Option<CpuLoad> {
        let Some((then, before)) = self.before else {
            self.before = Some((now, usage));
            return None;
        };
        let elapsed = now.saturating_duration_since(then);
        if elapsed < SHORTEST {
            return None;
        }
        self.before = Some((now, usage));
        let seconds = elapsed.as_secs_f64();
        Some(CpuLoad {
            user: usage.user.checked_sub(before.user)?.as_secs_f64() / seconds,
            system: usage.system.checked_sub(before.system)?.as_secs_f64() / seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(user: u64, system: u64) -> Usage {
        Usage {
            user: Duration::from_millis(user),
            system: Duration::from_millis(system),
            peak: 0,
            minor_faults: 0,
            major_faults: 0,
            voluntary: 0,
            involuntary: 0,
        }
    }

    #[test]
    fn loads_are_fractions_of_one_cpu() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut clock = CpuClock::new(start, Some(usage(100, 10)));
        let load = clock.load(at(1000), usage(600, 20)).unwrap();
        assert!((load.user - 0.5).abs() < 1e-9 && (load.system - 0.01).abs() < 1e-9);
        // Too early: the next one covers this time too.
        assert_eq!(clock.load(at(1005), usage(700, 20)), None);
        let load = clock.load(at(3000), usage(4600, 20)).unwrap();
        assert!((load.user - 2.0).abs() < 1e-9 && load.system == 0.0);
        // A forked child begins anew.
        assert_eq!(clock.load(at(4000), usage(0, 0)), None);
        assert!(clock.load(at(5000), usage(1000, 0)).is_some());
    }

    #[test]
    fn the_first_load_needs_a_figure_before() {
        let start = Instant::now();
        let mut clock = CpuClock::new(start, None);
        let later = start + Duration::from_secs(1);
        assert_eq!(clock.load(later, usage(5, 5)), None);
        assert!(clock.load(later + SHORTEST, usage(5, 5)).is_some());
    }
}
