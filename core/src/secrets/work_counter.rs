//! How many bytes this thread has looked at, for tests of the time that
//! redaction takes.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn count(bytes: usize) {
    STEPS.set(STEPS.get() + bytes);
}

/// The number since the last call.
pub(super) fn take() -> usize {
    STEPS.take()
}
