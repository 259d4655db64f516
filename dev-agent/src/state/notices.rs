//! `Notices`: the queue of one subscriber.

use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::notice::Notice;
use crate::store::{Ageing, Bounded};

/// How many notices wait at most.
const WAITING: usize = 4096;

/// Reports of everything that happens at an agent: [`crate::DevAgent::subscribe`].
///
/// Notices that wait to be taken share the agent's memory with all other data. Dropped
/// notices are counted in a [`Notice::Missed`].
#[derive(Debug)]
pub struct Notices(Arc<Queue>);

impl Notices {
    /// The next notice, if one is there.
    ///
    /// # Errors
    /// None is there, or the agent has ended and none will come.
    pub fn try_recv(&self) -> Result<Notice, TryRecvError> {
        let mut waiting = self.0.lock();
        match waiting.take() {
            Some(notice) => Ok(notice),
            None if waiting.ended => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Waits for the next notice.
    ///
    /// # Errors
    /// None came in time, or the agent has ended and none will come.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Notice, RecvTimeoutError> {
        let deadline = Instant::now() + timeout;
        let mut waiting = self.0.lock();
        loop {
            if let Some(notice) = waiting.take() {
                return Ok(notice);
            }
            if waiting.ended {
                return Err(RecvTimeoutError::Disconnected);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(RecvTimeoutError::Timeout);
            }
            let woken = self.0.arrived.wait_timeout(waiting, left);
            (waiting, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.unread = true;
        waiting.list.clear();
    }
}

#[derive(Debug)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug)]
struct Waiting {
    list: Bounded<Notice>,
    /// Notices that the receiver knows to be missing.
    reported: u64,
    taken: u64,
    /// The receiver is gone.
    unread: bool,
    /// The agent is gone.
    ended: bool,
}

impl Waiting {
    fn take(&mut self) -> Option<Notice> {
        let missed = self.missed();
        if missed > self.reported {
            let more = missed - self.reported;
            self.reported = missed;
            return Some(Notice::Missed(more));
        }
        let notice = self.list.take_oldest()?;
        self.taken += 1;
        Some(notice)
    }

    /// What came, and neither waits nor was taken.
    fn missed(&self) -> u64 {
        self.list.total() - self.taken - self.list.len() as u64
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The agent's end of [`Notices`].
#[derive(Debug)]
pub(super) struct Subscriber(Arc<Queue>);

impl Subscriber {
    pub(super) fn new() -> (Self, Notices) {
        let waiting = Waiting {
            list: Bounded::new(WAITING),
            reported: 0,
            taken: 0,
            unread: false,
            ended: false,
        };
        let queue = Arc::new(Queue {
            waiting: Mutex::new(waiting),
            arrived: Condvar::new(),
        });
        (Self(Arc::clone(&queue)), Notices(queue))
    }

    /// `false` when the receiver is gone.
    pub(super) fn push(&self, age: u64, notice: Notice) -> bool {
        let mut waiting = self.0.lock();
        if waiting.unread {
            return false;
        }
        waiting.list.push(age, notice);
        self.0.arrived.notify_all();
        true
    }

    /// Notices that nobody got.
    pub(super) fn missed(&self) -> u64 {
        self.0.lock().missed()
    }
}

impl Ageing for Subscriber {
    fn oldest(&self) -> Option<u64> {
        self.0.lock().list.oldest()
    }

    fn drop_oldest(&mut self) {
        self.0.lock().list.drop_oldest();
    }

    fn bytes(&self) -> usize {
        self.0.lock().list.bytes()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_had_to_go_is_counted_where_it_is_missing() {
        let (mut subscriber, notices) = Subscriber::new();
        for age in 0..3 {
            assert!(subscriber.push(age, Notice::Restarted));
        }
        subscriber.drop_oldest();
        assert!(matches!(notices.try_recv(), Ok(Notice::Missed(1))));
        assert!(matches!(notices.try_recv(), Ok(Notice::Restarted)));
        for age in 3..WAITING as u64 + 5 {
            subscriber.push(age, Notice::Restarted);
        }
        assert!(matches!(notices.try_recv(), Ok(Notice::Missed(3))));
        assert_eq!(subscriber.missed(), 4);
        let mut left = 0;
        while let Ok(Notice::Restarted) = notices.try_recv() {
            left += 1;
        }
        assert_eq!((left, subscriber.bytes()), (WAITING, 0));
    }

    #[test]
    fn both_ends_may_go() {
        let (subscriber, notices) = Subscriber::new();
        assert!(matches!(notices.try_recv(), Err(TryRecvError::Empty)));
        subscriber.push(0, Notice::Restarted);
        drop(subscriber);
        assert!(notices.try_recv().is_ok());
        assert!(matches!(
            notices.try_recv(),
            Err(TryRecvError::Disconnected)
        ));
        let ended = notices.recv_timeout(Duration::from_secs(60));
        assert_eq!(ended.err(), Some(RecvTimeoutError::Disconnected));
        let (subscriber, notices) = Subscriber::new();
        drop(notices);
        assert!(!subscriber.push(0, Notice::Restarted));
    }
}
