//! The system calls of the sampler where there are none.

use crate::pipeline::metrics::sample::Usage;

pub(super) fn usage() -> Option<Usage> {
    None
}

pub(super) fn open_files_limit() -> Option<u64> {
    None
}

pub(super) fn c_heap() -> Option<(u64, u64)> {
    None
}
