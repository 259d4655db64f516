//! All open connections: limits, timeouts, and which one is closed to make room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config::Config;

/// The phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Between two requests.
    Idle = 0,
    /// The head of a request is arriving.
    Head = 1,
    /// Its body is arriving.
    Body = 2,
    /// The request is being answered.
    Answer = 3,
    /// A long answer is being read.
    Reading = 4,
}

/// How long a connection may stay in its phases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    head: Duration,
    body: Duration,
    idle: Duration,
}

impl Timeouts {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            head: config.head_timeout,
            body: config.body_timeout,
            idle: config.idle_timeout,
        }
    }

    /// The interval at which connections are checked.
    pub(super) fn interval(self) -> Duration {
        let least = self.head.min(self.body).min(self.idle);
        (least / 4).clamp(Duration::from_millis(5), Duration::from_secs(1))
    }
}

/// The open connections, so that the oldest idle one can be closed for a new one.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Mutex<(u64, HashMap<u64, Arc<Connection>>)>,
}

impl Connections {
    /// A new connection, and whether another one was closed for it.
    pub(super) fn open(self: &Arc<Self>, limit: usize) -> (Arc<Connection>, bool) {
        let mut open = self.lock();
        let full = open.1.len() >= limit;
        if full {
            let least = open
                .1
                .iter()
                .min_by_key(|(_, connection)| connection.rank());
            if let Some(id) = least.map(|(id, _)| *id) {
                if let Some(connection) = open.1.remove(&id) {
                    connection.close.notify_one();
                }
            }
        }
        open.0 += 1;
        let id = open.0;
        let connection = Arc::new(Connection::new(id));
        open.1.insert(id, Arc::clone(&connection));
        (connection, full)
    }

    /// Closes the connection that is idle for longest: for its file descriptor.
    pub(super) fn close_one(&self) {
        let open = self.lock();
        let least = open.1.values().min_by_key(|connection| connection.rank());
        if let Some(connection) = least {
            connection.close.notify_one();
        }
    }

    pub(super) fn closed(&self, connection: &Connection) {
        self.lock().1.remove(&connection.id);
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashMap<u64, Arc<Connection>>)> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection as it is seen from outside.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    begin: Instant,
    phase: AtomicU64,
    /// Milliseconds from `begin` to the newest byte, and to the phase.
    touched: AtomicU64,
    since: AtomicU64,
    close: Notify,
}

impl Connection {
    fn new(id: u64) -> Self {
        Self {
            id,
            begin: Instant::now(),
            phase: AtomicU64::new(Phase::Idle as u64),
            touched: AtomicU64::new(0),
            since: AtomicU64::new(0),
            close: Notify::new(),
        }
    }

    pub(super) fn set(&self, phase: Phase) {
        self.phase.store(phase as u64, Ordering::Relaxed);
        self.since.store(self.now(), Ordering::Relaxed);
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        self.touched.store(self.now(), Ordering::Relaxed);
        if matches!(self.phase(), Phase::Idle | Phase::Reading) {
            self.set(Phase::Head);
        }
    }

    /// Bytes went.
    pub(super) fn sent(&self) {
        self.touched.store(self.now(), Ordering::Relaxed);
    }

    /// Waits until the connection is to be closed: by another one, or because it
    /// was in a phase for too long.
    pub(super) async fn over(&self, timeouts: Timeouts) {
        loop {
            tokio::select! {
                () = self.close.notified() => return,
                () = tokio::time::sleep(timeouts.interval()) => {}
            }
            if self.is_overdue(timeouts) {
                return;
            }
        }
    }

    fn is_overdue(&self, timeouts: Timeouts) -> bool {
        let touched = self.touched.load(Ordering::Relaxed);
        let since = self.since.load(Ordering::Relaxed);
        let (from, limit) = match self.phase() {
            Phase::Idle => (touched, timeouts.idle),
            Phase::Head => (since, timeouts.head),
            Phase::Body | Phase::Reading => (touched.max(since), timeouts.body),
            Phase::Answer => return false,
        };
        let passed = Duration::from_millis(self.now().saturating_sub(from));
        passed > limit
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Body,
            3 => Phase::Answer,
            _ => Phase::Reading,
        }
    }

    /// The connection with the lowest value is closed first: not being answered, and
    /// silent for longest.
    fn rank(&self) -> (bool, Instant) {
        let touched = Duration::from_millis(self.touched.load(Ordering::Relaxed));
        (self.phase() == Phase::Answer, self.begin + touched)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
