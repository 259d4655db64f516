//! What an agent takes, whatever it is sent: memory and time. The allocator counts
//! for the whole process, so that these tests run one after another.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking"
)]

mod bodies;
mod counting;
mod fuzzed;
mod shapes;
#[path = "../it/support.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};

static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
