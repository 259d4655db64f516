//! What other threads say to the agent thread, and how they wait for it. No
//! wait is unbounded, and no call panics or fails because another thread did.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest a wait can be asked to take; keeps `Instant` from overflowing.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What the agent thread finds when it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Woken {
    /// Many spans wait. Reported once.
    pub(crate) spans: bool,
    /// The newest flush that is not complete and whose caller still waits.
    pub(crate) flush: Option<u64>,
    /// The process shuts down: everything has to be done by then.
    pub(crate) shutdown: Option<Instant>,
}

/// The meeting point of the agent thread and all others.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    agent: Condvar,
    callers: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Something has happened that the agent thread has not seen.
    news: bool,
    spans: bool,
    /// Flushes are numbered; these are the newest asked for and done.
    requested: u64,
    completed: u64,
    flush_until: Option<Instant>,
    shutdown: Option<Instant>,
    /// The agent thread has ended; true if nothing was left to send.
    stopped: Option<bool>,
}

impl Signal {
    /// As new, for another agent thread.
    pub(crate) fn reset(&self) {
        *self.lock() = State::default();
    }

    /// Says that many spans wait. Costs one short lock: not for every span.
    pub(crate) fn spans_ready(&self) {
        let mut state = self.lock();
        state.spans = true;
        state.news = true;
        drop(state);
        self.agent.notify_one();
    }

    /// Says that an event waits.
    pub(crate) fn event_ready(&self) {
        self.lock().news = true;
        self.agent.notify_one();
    }

    /// Blocks until everything that was pending at the call has been sent, or
    /// until the deadline has passed: then false.
    #[must_use = "false means that spans may not have been sent"]
    pub(crate) fn flush(&self, deadline: Duration) -> bool {
        let until = after(deadline);
        let mut state = self.lock();
        state.requested += 1;
        state.news = true;
        state.flush_until = state.flush_until.max(Some(until));
        let own = state.requested;
        self.agent.notify_one();
        let done = |state: &State| state.completed >= own || state.stopped.is_some();
        let state = self.wait_for(state, until, done);
        state.completed >= own || state.stopped == Some(true)
    }

    /// Tells the agent thread to send what is pending and to end, and blocks
    /// until it has or until the deadline has passed. True if nothing was left.
    #[must_use = "false means that spans may not have been sent"]
    pub(crate) fn shutdown(&self, deadline: Duration) -> bool {
        let until = after(deadline);
        let mut state = self.lock();
        // The first caller's deadline holds, unless a later one is shorter.
        state.shutdown = Some(state.shutdown.map_or(until, |known| known.min(until)));
        state.news = true;
        self.agent.notify_one();
        let state = self.wait_for(state, until, |state| state.stopped.is_some());
        state.stopped == Some(true)
    }

    /// Agent thread: waits until something new is said, `until` at the latest.
    pub(crate) fn wait(&self, until: Instant) -> Woken {
        let mut state = self.lock();
        while !state.news {
            let time = until.saturating_duration_since(Instant::now());
            if time.is_zero() {
                break;
            }
            state = self
                .agent
                .wait_timeout(state, time)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Self::seen(&mut state)
    }

    /// Agent thread: what was said, without waiting.
    pub(crate) fn look(&self) -> Woken {
        Self::seen(&mut self.lock())
    }

    fn seen(state: &mut State) -> Woken {
        state.news = false;
        let waiting = state
            .flush_until
            .is_some_and(|until| Instant::now() < until);
        Woken {
            spans: std::mem::take(&mut state.spans),
            flush: (state.requested > state.completed && waiting).then_some(state.requested),
            shutdown: state.shutdown,
        }
    }

    /// Agent thread: flushes up to this number are complete.
    pub(crate) fn complete(&self, flush: u64) {
        let mut state = self.lock();
        state.completed = state.completed.max(flush);
        if state.completed == state.requested {
            state.flush_until = None;
        }
        drop(state);
        self.callers.notify_all();
    }

    /// Agent thread: it ends. Only the first call counts.
    pub(crate) fn stop(&self, nothing_left: bool) {
        self.lock().stopped.get_or_insert(nothing_left);
        self.callers.notify_all();
    }

    fn wait_for<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        until: Instant,
        done: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        while !done(&state) {
            let time = until.saturating_duration_since(Instant::now());
            if time.is_zero() {
                break;
            }
            state = self
                .callers
                .wait_timeout(state, time)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The instant `time` from now, a year from now at most.
pub(crate) fn after(time: Duration) -> Instant {
    Instant::now() + time.min(FOREVER)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn news_wake_the_agent_thread_once() {
        let signal = Signal::default();
        signal.spans_ready();
        assert!(signal.wait(after(LONG)).spans);
        assert_eq!(signal.wait(Instant::now()), Woken::default());
        let waiting = Instant::now() + Duration::from_millis(20);
        assert_eq!(signal.wait(waiting), Woken::default());
        assert!(Instant::now() >= waiting);
    }

    #[test]
    fn a_flush_is_completed_by_a_later_number_only() {
        let signal = Arc::new(Signal::default());
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let signal = Arc::clone(&signal);
                thread::spawn(move || signal.flush(LONG))
            })
            .collect();
        let mut newest = 0;
        while newest < 4 {
            newest = signal.wait(after(LONG)).flush.unwrap();
        }
        signal.complete(newest - 4);
        assert!(signal.wait(Instant::now()).flush.is_some());
        signal.complete(newest);
        for caller in callers {
            assert!(caller.join().unwrap());
        }
        assert_eq!(signal.wait(Instant::now()).flush, None);
    }

    #[test]
    fn deadlines_hold_without_an_agent_thread() {
        let signal = Signal::default();
        let deadline = Duration::from_millis(30);
        for wait in [Signal::flush, Signal::shutdown] {
            let start = Instant::now();
            assert!(!wait(&signal, deadline));
            let took = start.elapsed();
            assert!(took >= deadline && took < deadline + LONG, "{took:?}");
        }
        // Nobody waits for that flush any more.
        assert_eq!(signal.wait(Instant::now()).flush, None);
    }

    #[test]
    fn a_stopped_agent_thread_keeps_nobody_waiting() {
        for nothing_left in [true, false] {
            let signal = Signal::default();
            signal.stop(nothing_left);
            signal.stop(!nothing_left);
            assert_eq!(signal.flush(Duration::MAX), nothing_left);
            assert_eq!(signal.shutdown(Duration::MAX), nothing_left);
        }
    }

    #[test]
    fn a_poisoned_lock_still_works() {
        let signal = Arc::new(Signal::default());
        let poisoner = Arc::clone(&signal);
        let outcome = thread::spawn(move || {
            let _guard = poisoner.state.lock().unwrap();
            panic!("poison");
        })
        .join();
        assert!(outcome.is_err() && signal.state.is_poisoned());
        signal.spans_ready();
        assert!(signal.wait(after(LONG)).spans);
        signal.stop(true);
        assert!(signal.flush(LONG));
    }
}
