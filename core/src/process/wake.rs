//! How other threads wake the agent thread: without the lock of the running tracer,
//! which is held while settings change and while the process forks.
#![expect(
    unsafe_code,
    reason = "a signal is reached through a pointer, so that whoever wakes takes no lock"
)]

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::pipeline::signal::Signal;
use crate::process::running;

/// The signal of the agent thread; null where there is none: before the start, after the
/// stop, and in a forked child until it records something.
static CURRENT: AtomicPtr<Signal> = AtomicPtr::new(ptr::null_mut());

/// All signals that were ever made. They are never freed, because a thread may be about
/// to use one, and used again: there are as many as agent threads at one time.
static ALL: Mutex<Vec<Arc<Signal>>> = Mutex::new(Vec::new());

/// A signal for a new agent thread.
pub(super) fn signal() -> Arc<Signal> {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(free) = all.iter().find(|signal| Arc::strong_count(signal) == 1) {
        free.reset();
        return free.clone();
    }
    let new = Arc::new(Signal::default());
    all.push(new.clone());
    new
}

/// Those who wake, wake the thread of this signal from now on.
pub(super) fn set(signal: Option<&Arc<Signal>>) {
    let pointer = signal.map_or(ptr::null(), Arc::as_ptr);
    CURRENT.store(pointer.cast_mut(), Ordering::Release);
}

/// The pool calls it when enough spans wait, and in a forked child when the first one
/// does.
pub(super) fn spans_ready() {
    wake(Signal::spans_ready);
}

/// The outbox calls it when an event waits.
pub(super) fn event_ready() {
    wake(Signal::event_ready);
}

fn wake(news: fn(&Signal)) {
    // SAFETY: the pointer is null or points to a signal in `ALL`, which is never freed.
    match unsafe { CURRENT.load(Ordering::Acquire).as_ref() } {
        Some(signal) => news(signal),
        None => running::start_in_child(),
    }
}
