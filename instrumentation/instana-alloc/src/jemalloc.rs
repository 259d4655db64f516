//! The metrics of jemalloc.

use instana::metrics::{self, Readings, Registration, Source};
use tikv_jemalloc_ctl::{epoch, stats};

/// The heap metrics of jemalloc.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jemalloc;

impl Jemalloc {
    /// Sends them from now on, as the source `jemalloc`.
    pub fn register(self) -> Registration {
        metrics::register("jemalloc", self)
    }
}

impl Source for Jemalloc {
    fn sample(&mut self, readings: &mut Readings) {
        // Where it fails, the figures stay as they were.
        let _ = epoch::advance();
        for (name, bytes) in [
            ("in_use", stats::allocated::read()),
            ("active", stats::active::read()),
            ("resident", stats::resident::read()),
            ("mapped", stats::mapped::read()),
            ("retained", stats::retained::read()),
        ] {
            if let Ok(bytes) = bytes {
                readings.gauge(name, "bytes", bytes);
            }
        }
    }
}
