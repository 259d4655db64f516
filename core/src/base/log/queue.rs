//! Lines between those who write them and the thread that delivers them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::base::log::LineCounts;
use crate::base::log::stderr::Destination;
use crate::base::log::{Level, Logger, sender};

/// Lines that wait at most, and their bytes.
const MAX_LINES: usize = 256;
const MAX_BYTES: usize = 64 * 1024;

/// Lines for the agent's own log that wait for the agent thread at most.
const MAX_TOLD: usize = 32;

/// After this time the system is asked for a thread again.
const RETRY: Duration = Duration::from_secs(1);

/// How often [`Queue::drain`] looks.
const LOOK: Duration = Duration::from_millis(1);

/// The process's lines.
pub(super) static QUEUE: Queue = Queue::new();

/// A bounded queue. The oldest lines stay when it is full: they say how it began.
#[derive(Debug)]
pub(super) struct Queue(Mutex<State>);

/// A line, and where it goes.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) level: Level,
    pub(super) text: String,
    /// The logger that was in force when the line was written; `None`: standard error.
    pub(super) logger: Option<Logger>,
    /// What standard error is.
    pub(super) destination: Destination,
}

#[derive(Debug)]
pub(crate) struct State {
    lines: VecDeque<Line>,
    bytes: usize,
    logger: Option<Logger>,
    destination: Destination,
    told: Vec<String>,
    sender: Option<Sender>,
    /// How many there have been: their numbers begin at 1.
    senders: u64,
    /// When the system may be asked for a thread again.
    retry_at: Option<Instant>,
    /// Lines that found no room and were not reported yet.
    lost: u64,
    counts: LineCounts,
}

/// The thread that delivers lines.
#[derive(Debug)]
struct Sender {
    number: u64,
    /// `None` until it runs.
    thread: Option<Thread>,
    /// It delivers a line.
    is_busy: bool,
}

/// What the thread does next.
#[derive(Debug)]
pub(super) enum Next {
    Deliver(Line),
    Wait,
    /// Another thread does it, or this one is in a forked child.
    End,
}

/// The lock of the queue.
pub(crate) type QueueGuard<'a> = MutexGuard<'a, State>;

impl Queue {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State {
            lines: VecDeque::new(),
            bytes: 0,
            logger: None,
            destination: Destination::Unknown,
            told: Vec::new(),
            sender: None,
            senders: 0,
            retry_at: None,
            lost: 0,
            counts: LineCounts {
                written: 0,
                waiting: 0,
                unwritten: 0,
            },
        }))
    }

    /// Keeps everybody else out.
    pub(super) fn hold(&self) -> QueueGuard<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line and wakes the thread, which is started if need be. `with_logger` is
    /// false for standard error.
    pub(super) fn push(&'static self, level: Level, text: String, with_logger: bool) {
        let mut state = self.hold();
        state.add(level, text, with_logger);
        let start = state.wake();
        drop(state);
        self.start(start);
    }

    /// Starts the thread that was decided upon.
    fn start(&'static self, number: Option<u64>) {
        let Some(number) = number else { return };
        if sender::start(self, number).is_err() {
            let mut state = self.hold();
            state.remove_sender(number);
            state.retry_at = Some(Instant::now() + RETRY);
        }
    }

    /// Lines go to this logger from now on; the one until now.
    pub(super) fn replace(&self, logger: Option<Logger>) -> Option<Logger> {
        std::mem::replace(&mut self.hold().logger, logger)
    }

    /// Standard error is what it is now.
    pub(super) fn remember(&self) {
        self.hold().destination = Destination::now();
    }

    /// Adds a line for the agent's own log.
    pub(super) fn tell(&self, text: &str) {
        let mut state = self.hold();
        if state.told.len() < MAX_TOLD {
            state.told.push(text.to_owned());
        }
    }

    /// Takes the lines that wait for the agent's own log.
    pub(super) fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.hold().told)
    }

    pub(super) fn counts(&self) -> LineCounts {
        let state = self.hold();
        LineCounts {
            waiting: state.waiting(),
            ..state.counts
        }
    }

    /// By the thread with this number: what it does next.
    pub(super) fn next(&self, number: u64) -> Next {
        let mut state = self.hold();
        let Some(sender) = state.own(number) else {
            return Next::End;
        };
        sender.thread.get_or_insert_with(std::thread::current);
        let line = state.take();
        let Some(sender) = state.own(number) else {
            return Next::End;
        };
        sender.is_busy = line.is_some();
        line.map_or(Next::Wait, Next::Deliver)
    }

    /// By the thread with this number: what became of its line.
    pub(super) fn delivered(&self, number: u64, written: bool) {
        let mut state = self.hold();
        let Some(sender) = state.own(number) else {
            return;
        };
        sender.is_busy = false;
        state.count(written);
    }

    /// By the thread with this number, which ends: true unless there is a line.
    pub(super) fn retire(&self, number: u64) -> bool {
        let mut state = self.hold();
        let is_needed = state.waiting() > 0;
        if !is_needed {
            state.remove_sender(number);
        }
        !is_needed
    }

    /// The thread with this number has ended. What it had was not written.
    pub(super) fn ended(&self, number: u64) {
        let mut state = self.hold();
        if state.own(number).is_some_and(|sender| sender.is_busy) {
            state.count(false);
        }
        state.remove_sender(number);
    }

    /// Waits until all lines are delivered, `until` at the latest, and no longer
    /// than `patience` for a single one.
    pub(super) fn drain(&'static self, until: Instant, patience: Duration) {
        let mut start = self.hold().wake();
        let mut done = None;
        let mut since = Instant::now();
        loop {
            self.start(start.take());
            let counts = self.counts();
            let now = Instant::now();
            let done_now = counts.written + counts.unwritten;
            if done != Some(done_now) {
                (done, since) = (Some(done_now), now);
            }
            if counts.waiting == 0 || now >= until || now - since >= patience {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl State {
    fn add(&mut self, level: Level, text: String, with_logger: bool) {
        if self.destination == Destination::Unknown {
            self.destination = Destination::now();
        }
        if self.lost > 0 && self.has_room(&text) {
            let lost = self.report_lost();
            self.keep(lost);
        }
        if !self.has_room(&text) || self.lines.try_reserve(1).is_err() {
            self.lost += 1;
            self.counts.unwritten += 1;
            return;
        }
        let logger = self.logger.clone().filter(|_| with_logger);
        let line = self.line(level, text, logger);
        self.keep(line);
    }

    fn keep(&mut self, line: Line) {
        self.bytes += line.text.len();
        self.lines.push_back(line);
    }

    fn has_room(&self, text: &str) -> bool {
        self.lines.len() < MAX_LINES && self.bytes + text.len() <= MAX_BYTES
    }

    fn take(&mut self) -> Option<Line> {
        if let Some(line) = self.lines.pop_front() {
            self.bytes = self.bytes.saturating_sub(line.text.len());
            return Some(line);
        }
        (self.lost > 0).then(|| self.report_lost())
    }

    fn report_lost(&mut self) -> Line {
        let lost = std::mem::take(&mut self.lost);
        let text = format!("{lost} lines were left out here: there was no room for them");
        self.line(Level::Warn, text, self.logger.clone())
    }

    fn line(&self, level: Level, text: String, logger: Option<Logger>) -> Line {
        Line {
            level,
            text,
            logger,
            destination: self.destination,
        }
    }

    /// Lines that wait or are being delivered, and the report of lost ones.
    fn waiting(&self) -> u64 {
        let is_busy = self.sender.as_ref().is_some_and(|sender| sender.is_busy);
        self.lines.len() as u64 + u64::from(is_busy) + u64::from(self.lost > 0)
    }

    fn count(&mut self, written: bool) {
        if written {
            self.counts.written += 1;
        } else {
            self.counts.unwritten += 1;
        }
    }

    /// Wakes the thread; the number of the one that has to be started.
    fn wake(&mut self) -> Option<u64> {
        if self.waiting() == 0 {
            return None;
        }
        if let Some(sender) = &self.sender {
            if let Some(thread) = &sender.thread {
                thread.unpark();
            }
            return None;
        }
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        self.retry_at = None;
        self.senders += 1;
        self.sender = Some(Sender {
            number: self.senders,
            thread: None,
            is_busy: false,
        });
        Some(self.senders)
    }

    fn own(&mut self, number: u64) -> Option<&mut Sender> {
        self.sender
            .as_mut()
            .filter(|sender| sender.number == number)
    }

    fn remove_sender(&mut self, number: u64) {
        if self.own(number).is_some() {
            self.sender = None;
        }
    }

    /// In a forked child: the thread is gone, and the lines are the parent's.
    pub(crate) fn after_fork(&mut self) {
        self.lines.clear();
        self.bytes = 0;
        self.told.clear();
        self.sender = None;
        self.retry_at = None;
        self.lost = 0;
        self.counts = LineCounts::default();
    }
}
