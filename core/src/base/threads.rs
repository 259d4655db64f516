//! The tracer's own threads.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Bytes. Without a number std reads the environment for one, under a lock that a fork
/// may leave locked in the child.
const STACK: usize = 2 * 1024 * 1024;

/// Starts a thread.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name(name.to_owned()).stack_size(STACK);
    thread.spawn(run)
}
