//! The sampler where there is no `/proc`: what `getrusage` and `getrlimit` tell.

use std::time::Instant;

use crate::pipeline::metrics::ffi;
use crate::pipeline::metrics::sample::{CpuClock, Sample};

#[derive(Debug)]
pub(super) struct Sampler {
    cpu: CpuClock,
}

impl Sampler {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            cpu: CpuClock::new(now, ffi::usage()),
        }
    }

    pub(super) fn sample(&mut self, now: Instant) -> Sample {
        let usage = ffi::usage();
        Sample {
            cpu: usage.and_then(|usage| self.cpu.load(now, usage)),
            open_files_limit: ffi::open_files_limit(),
            usage,
            ..Sample::default()
        }
    }
}

/// Not known here.
pub(super) fn start_time() -> Option<u64> {
    None
}
