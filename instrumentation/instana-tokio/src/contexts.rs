//! The contexts of a runtime's tasks, found by the task's id.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use instana::Context;
use tokio::task::Id;

const SHARDS: usize = 64;

type Hashing = BuildHasherDefault<IdHasher>;

/// Bounded by the number of the runtime's tasks.
#[derive(Debug)]
pub(crate) struct Contexts {
    shards: [Shard; SHARDS],
}

/// On cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    /// Avoids the lock if there are no contexts.
    count: AtomicUsize,
    contexts: Mutex<HashMap<Id, Context, Hashing>>,
}

impl Default for Contexts {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Shard::default()),
        }
    }
}

impl Contexts {
    /// An empty context is not kept.
    pub(crate) fn keep(&self, id: Id, context: Context) {
        if context.is_empty() {
            return;
        }
        if let Some(shard) = self.shard(id) {
            let mut contexts = shard.lock();
            contexts.insert(id, context);
            shard.count.store(contexts.len(), Ordering::Release);
        }
    }

    pub(crate) fn of(&self, id: Id) -> Option<Context> {
        let shard = self.shard(id)?;
        if shard.is_empty() {
            return None;
        }
        shard.lock().get(&id).cloned()
    }

    pub(crate) fn forget(&self, id: Id) {
        let Some(shard) = self.shard(id).filter(|shard| !shard.is_empty()) else {
            return;
        };
        let mut contexts = shard.lock();
        let context = contexts.remove(&id);
        shard.count.store(contexts.len(), Ordering::Release);
        drop(contexts);
        drop(context);
    }

    fn shard(&self, id: Id) -> Option<&Shard> {
        let hash = Hashing::default().hash_one(id);
        self.shards.get(hash as usize % SHARDS)
    }
}

impl Shard {
    /// The spawn of a task happens before its polls.
    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Context, Hashing>> {
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids are consecutive numbers, so spreading them is enough.
#[derive(Clone, Copy, Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The odd number next to 2^64 divided by the golden ratio; the best bits are
        // the upper ones.
        let spread = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = spread.rotate_left(32);
    }
}
