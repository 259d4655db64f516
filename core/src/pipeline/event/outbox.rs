//! Events between those who send them and the agent thread.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::pipeline::event::{Event, EventCounts};

/// Events that wait at most.
pub(super) const MAX_WAITING: usize = 256;

/// The process's events.
pub(crate) static OUTBOX: Outbox = Outbox::new();

/// A bounded queue: the oldest event goes when it is full.
#[derive(Debug)]
pub(crate) struct Outbox(Mutex<State>);

#[derive(Debug)]
pub(crate) struct State {
    /// Called when an event has come in; `None` while no events are taken.
    wake: Option<fn()>,
    waiting: VecDeque<Event>,
    /// How many have left the queue: the number of the oldest one in it.
    left: u64,
    counts: EventCounts,
}

/// The lock of an [`Outbox`].
pub(crate) type OutboxGuard<'a> = MutexGuard<'a, State>;

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State {
            wake: None,
            waiting: VecDeque::new(),
            left: 0,
            counts: EventCounts {
                sent: 0,
                waiting: 0,
                dropped_full: 0,
                dropped_rejected: 0,
                dropped_stopped: 0,
            },
        }))
    }

    /// Takes events from now on, and counts them anew. `wake` is called after each.
    pub(crate) fn open(&self, wake: fn()) {
        let mut state = self.hold();
        state.empty();
        state.wake = Some(wake);
        state.counts = EventCounts::default();
    }

    /// Takes no further events. Those that wait can still be sent.
    pub(crate) fn close(&self) {
        self.hold().wake = None;
    }

    /// Losses what waits.
    pub(crate) fn clear(&self) {
        let mut state = self.hold();
        state.wake = None;
        let dropped = state.empty();
        state.counts.dropped_stopped += dropped;
    }

    /// Adds an event, unless nobody would send it: then false.
    pub(crate) fn push(&self, event: Event) -> bool {
        let mut state = self.hold();
        let Some(wake) = state.wake else {
            return false;
        };
        if state.waiting.len() >= MAX_WAITING {
            state.leave();
            state.counts.dropped_full += 1;
        }
        state.waiting.push_back(event);
        drop(state);
        wake();
        true
    }

    /// The oldest event and its number.
    pub(super) fn oldest(&self) -> Option<(u64, Event)> {
        let state = self.hold();
        Some((state.left, state.waiting.front()?.clone()))
    }

    /// The number that the next event gets.
    pub(super) fn next_number(&self) -> u64 {
        let state = self.hold();
        state.left + state.waiting.len() as u64
    }

    /// The event with this number was accepted.
    pub(super) fn sent(&self, number: u64) {
        let mut state = self.hold();
        if state.left == number && state.leave() {
            state.counts.sent += 1;
        }
    }

    /// The event with this number is given up.
    pub(super) fn rejected(&self, number: u64) {
        let mut state = self.hold();
        if state.left == number && state.leave() {
            state.counts.dropped_rejected += 1;
        }
    }

    /// True where no event with a number below this one waits.
    pub(super) fn is_done_before(&self, number: u64) -> bool {
        let state = self.hold();
        state.waiting.is_empty() || state.left >= number
    }

    pub(crate) fn counts(&self) -> EventCounts {
        let state = self.hold();
        EventCounts {
            waiting: state.waiting.len() as u64,
            ..state.counts
        }
    }

    /// Keeps everybody else out.
    pub(crate) fn hold(&self) -> OutboxGuard<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// In a forked child: what waits is the parent's.
    pub(crate) fn after_fork(&mut self) {
        self.empty();
        self.counts = EventCounts::default();
    }

    /// How many there were.
    fn empty(&mut self) -> u64 {
        let dropped = self.waiting.len() as u64;
        self.left += dropped;
        self.waiting.clear();
        dropped
    }

    fn leave(&mut self) -> bool {
        let was_there = self.waiting.pop_front().is_some();
        self.left += u64::from(was_there);
        was_there
    }
}
