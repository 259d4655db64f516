//! The memory of all unfinished request bodies together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::gathering::Gathering;
use crate::memory::Memory;
use crate::protocol::Body;
use crate::state::Shared;

/// The unfinished bodies of all connections, bounded together: if there is no room, the
/// body that has been waiting for data for the longest time is dropped.
#[derive(Debug)]
pub(super) struct Bodies {
    shared: Arc<Shared>,
    memory: Memory,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_id: HashMap<u64, Arriving>,
    next: u64,
    /// Counts up with each chunk.
    ticks: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Arriving {
    gathering: Gathering,
    touched: u64,
    given_up: Arc<Notify>,
}

impl Bodies {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            memory: shared.read(|state| state.memory),
            shared,
            open: Mutex::default(),
        }
    }

    /// A new body.
    pub(super) fn begin(self: &Arc<Self>) -> Upload {
        let mut open = self.lock();
        let id = open.next;
        open.next += 1;
        let given_up = Arc::new(Notify::new());
        let arriving = Arriving {
            gathering: Gathering::default(),
            touched: open.ticks,
            given_up: Arc::clone(&given_up),
        };
        open.by_id.insert(id, arriving);
        drop(open);
        Upload {
            bodies: Arc::clone(self),
            id,
            given_up,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to a body; `false` if it was dropped.
    fn push(&self, id: u64, chunk: &[u8]) -> bool {
        let mut open = self.lock();
        open.ticks += 1;
        let touched = open.ticks;
        let Some(arriving) = open.by_id.get_mut(&id) else {
            return false;
        };
        arriving.touched = touched;
        let before = arriving.gathering.bytes();
        arriving.gathering.push(chunk, self.memory.body());
        let after = arriving.gathering.bytes();
        if before == after {
            return true;
        }
        open.bytes = open.bytes - before + after;
        let dropped = open.make_room(self.memory.bodies(), id);
        let bytes = open.bytes;
        drop(open);
        self.shared.tidy(|state| {
            state.bodies_dropped += dropped;
            state.set_bodies(bytes);
        });
        true
    }

    fn release(&self, bytes: usize) {
        let mut open = self.lock();
        open.bytes = open.bytes.saturating_sub(bytes);
        let left = open.bytes;
        drop(open);
        if bytes > 0 {
            self.shared.tidy(|state| state.set_bodies(left));
        }
    }
}

impl Open {
    /// Drops other bodies than `id`, and returns how many.
    fn make_room(&mut self, limit: usize, id: u64) -> u64 {
        let mut dropped = 0;
        while self.bytes > limit {
            let others = self
                .by_id
                .iter()
                .filter(|(other, arriving)| **other != id && arriving.gathering.bytes() > 0);
            let Some((oldest, _)) = others.min_by_key(|(_, arriving)| arriving.touched) else {
                break;
            };
            let oldest = *oldest;
            if let Some(arriving) = self.by_id.remove(&oldest) {
                self.bytes -= arriving.gathering.bytes();
                arriving.given_up.notify_one();
                dropped += 1;
            }
        }
        dropped
    }
}

/// A body that is arriving on a connection.
#[derive(Debug)]
pub(super) struct Upload {
    bodies: Arc<Bodies>,
    id: u64,
    given_up: Arc<Notify>,
}

impl Upload {
    /// Adds to the body; `false` if it was dropped.
    pub(super) fn push(&self, chunk: &[u8]) -> bool {
        self.bodies.push(self.id, chunk)
    }

    /// Waits until the body is dropped.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    /// The whole body, which counts as memory until `Whole` is dropped.
    pub(super) fn finish(self) -> Option<Whole> {
        let arriving = self.bodies.lock().by_id.remove(&self.id)?;
        let bytes = arriving.gathering.bytes();
        Some(Whole {
            body: arriving.gathering.finish(),
            bytes,
            bodies: Arc::clone(&self.bodies),
        })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let arriving = self.bodies.lock().by_id.remove(&self.id);
        if let Some(arriving) = arriving {
            self.bodies.release(arriving.gathering.bytes());
        }
    }
}

/// A whole body.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) body: Body,
    bytes: usize,
    bodies: Arc<Bodies>,
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.body = Body::default();
        self.bodies.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::state::State;

    #[test]
    fn the_longest_silent_is_given_up() {
        let memory = 8 << 20;
        let state = State::new(Config::new().memory(memory));
        let shared = Arc::new(Shared::new(state));
        let bodies = Arc::new(Bodies::new(Arc::clone(&shared)));
        let chunk = vec![b'['; 1 << 20];
        let silent = bodies.begin();
        assert!(silent.push(&chunk));
        let first = bodies.begin();
        let second = bodies.begin();
        for _ in 0..2 {
            assert!(first.push(&chunk) && second.push(&chunk));
        }
        // 3 MiB is all that bodies may take together.
        assert!(!silent.push(&chunk), "it was silent for longest");
        assert!(bodies.lock().bytes <= memory / 8 * 3);
        let whole = second.finish().expect("it was touched last");
        assert_eq!(whole.body.length, 2 << 20);
        drop((silent, first, whole));
        assert_eq!(bodies.lock().bytes, 0);
        let dropped = shared.read(State::dropped);
        assert!(dropped.bodies >= 1, "{dropped:?}");
    }
}
