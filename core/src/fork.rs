//! A forked child: its parent's spans are not its own, its parent's agent
//! thread is not there, and its parent's random numbers must not be repeated.
//!
//! `pthread_atfork` holds our locks over the fork, so that none is left locked
//! for ever in the child, waits a moment for [code of others](crate::foreign) on our
//! threads, and tells the child that it is one.
#![expect(
    unsafe_code,
    reason = "pthread_atfork is C; it costs nothing per span, unlike a look at the process id"
)]

use std::cell::RefCell;
use std::sync::Once;

use crate::runtime::{self, Held};

thread_local! {
    /// The locks, while this thread forks.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Watches for forks from now on.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the three functions are `extern "C"`, never unwind (they touch
        // locks and plain memory, and sleep) and live as long as the process.
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    });
}

extern "C" fn before() {
    let _ = HELD.try_with(|held| {
        if let Ok(mut held) = held.try_borrow_mut() {
            *held = Some(runtime::hold());
        }
    });
}

extern "C" fn in_parent() {
    drop(take());
}

extern "C" fn in_child() {
    if let Some(held) = take() {
        held.in_child();
    }
}

fn take() -> Option<Held> {
    HELD.try_with(|held| held.try_borrow_mut().ok()?.take())
        .ok()?
}
