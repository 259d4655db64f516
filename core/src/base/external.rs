//! Code of others that the tracer's own threads call: loggers, sources of metrics, the
//! system's resolver. It may hold locks of the application, of std or of libc, which a
//! forked child would find locked for ever: a fork waits for its end, a moment only.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a fork waits.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often it looks.
const LOOK: Duration = Duration::from_micros(100);

/// Locked while a call begins, and over a fork.
static ENTRANCE: Mutex<()> = Mutex::new(());

/// Calls that are under way.
static INSIDE: AtomicU32 = AtomicU32::new(0);

/// Calls that a fork has waited for in vain: the next one does not wait for them again.
static STUCK: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The calls of this thread: the application's logger may fork.
    static OWN: Cell<u32> = const { Cell::new(0) };
}

/// Runs `f`, which is not ours. It begins when no fork is under way.
pub(crate) fn call<R>(f: impl FnOnce() -> R) -> R {
    let _call = Call::begin();
    f()
}

/// A call that is under way.
struct Call;

impl Call {
    fn begin() -> Self {
        let entrance = enter();
        INSIDE.fetch_add(1, Ordering::SeqCst);
        drop(entrance);
        let _ = OWN.try_with(|own| own.set(own.get() + 1));
        Self
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        STUCK.store(0, Ordering::SeqCst);
        INSIDE.fetch_sub(1, Ordering::SeqCst);
        let _ = OWN.try_with(|own| own.set(own.get() - 1));
    }
}

fn enter() -> MutexGuard<'static, ()> {
    ENTRANCE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No call is under way, as far as waiting helps, and none begins.
#[derive(Debug)]
pub(crate) struct CallsGuard {
    _entrance: MutexGuard<'static, ()>,
}

/// Waits for the end of all calls but this thread's own.
pub(crate) fn hold() -> CallsGuard {
    let entrance = enter();
    let own = own();
    let until = Instant::now() + PATIENCE;
    loop {
        let others = INSIDE.load(Ordering::SeqCst).saturating_sub(own);
        if others <= STUCK.load(Ordering::SeqCst) {
            break;
        }
        if Instant::now() >= until {
            STUCK.store(others, Ordering::SeqCst);
            break;
        }
        thread::sleep(LOOK);
    }
    CallsGuard {
        _entrance: entrance,
    }
}

impl CallsGuard {
    /// In a forked child: the threads of the others are gone.
    pub(crate) fn after_fork(&self) {
        INSIDE.store(own(), Ordering::SeqCst);
        STUCK.store(0, Ordering::SeqCst);
    }
}

fn own() -> u32 {
    OWN.try_with(Cell::get).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    // One test, because the calls are the process's.
    #[test]
    fn a_fork_waits_for_calls_that_end_and_a_moment_for_the_others() {
        // A call that ends.
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let call_of_another = thread::spawn(move || {
            call(|| {
                begun.send(()).unwrap();
                let _ = ends.recv();
                7
            })
        });
        begins.recv().unwrap();
        let begin = Instant::now();
        drop(hold());
        assert!(begin.elapsed() >= PATIENCE, "it waits for a call");
        // The same call keeps no second fork waiting: else each of these would wait.
        let times = (0..100).map(|_| {
            let begin = Instant::now();
            drop(hold());
            begin.elapsed()
        });
        let shortest = times.min().unwrap();
        assert!(shortest < PATIENCE, "{shortest:?}");
        // Nor does this thread's own.
        call(|| drop(hold()));
        drop(end);
        assert_eq!(call_of_another.join().unwrap(), 7);
        // While a fork is under way no call begins.
        let held = hold();
        let late = thread::spawn(|| call(Instant::now));
        thread::sleep(Duration::from_millis(20));
        let before = Instant::now();
        drop(held);
        assert!(late.join().unwrap() >= before);
    }

    #[test]
    fn a_call_that_panics_is_over() {
        let own_before = own();
        let panicked = std::panic::catch_unwind(|| call(|| panic!("on purpose")));
        assert!(panicked.is_err());
        assert_eq!(own(), own_before);
    }
}
