//! A forked child: its parent's spans are not its own, its parent's agent
//! thread is not there, and its parent's random numbers must not be repeated.
//!
//! `pthread_atfork` holds our locks over the fork, so that none is left locked
//! for ever in the child, waits a moment for [code of others](crate::base::external) on our
//! threads, and tells the child that it is one.
#![expect(
    unsafe_code,
    reason = "pthread_atfork is C; it costs nothing per span, unlike a look at the process id"
)]

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Once;

use crate::process::fork_locks::{self, ForkLocks};

/// A place that is not dropped with its thread: destructors of other values may fork.
type Place = Cell<ManuallyDrop<Option<ForkLocks>>>;

thread_local! {
    /// The locks, while this thread forks.
    static HELD: Place = const { Cell::new(ManuallyDrop::new(None)) };
}

const _: () = assert!(
    !std::mem::needs_drop::<Place>(),
    "it is there until the end"
);

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
    drop(replace(Some(fork_locks::hold())));
}

extern "C" fn in_parent() {
    drop(replace(None));
}

extern "C" fn in_child() {
    if let Some(held) = replace(None) {
        held.in_child();
    }
}

fn replace(locks: Option<ForkLocks>) -> Option<ForkLocks> {
    let held = HELD.try_with(|held| held.replace(ManuallyDrop::new(locks)));
    held.map(ManuallyDrop::into_inner).unwrap_or_default()
}
