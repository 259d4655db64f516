//! The destination of a pool, which may be replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use instana::Span;

use crate::destination::Destination;

/// A destination that is read without a lock until it is first replaced.
#[derive(Debug)]
pub(crate) struct SharedDestination {
    first: Arc<Destination>,
    later: RwLock<Arc<Destination>>,
    is_replaced: AtomicBool,
}

impl SharedDestination {
    pub(crate) fn new(first: Destination) -> Self {
        let first = Arc::new(first);
        Self {
            later: RwLock::new(first.clone()),
            first,
            is_replaced: AtomicBool::new(false),
        }
    }

    pub(crate) fn get(&self) -> Arc<Destination> {
        if self.is_replaced.load(Ordering::Acquire) {
            let later = self.later.read().unwrap_or_else(PoisonError::into_inner);
            return later.clone();
        }
        self.first.clone()
    }

    #[inline]
    pub(crate) fn exit(&self, statement: &str) -> Span {
        if self.is_replaced.load(Ordering::Acquire) {
            return self.get().exit(statement);
        }
        self.first.exit(statement)
    }

    /// If only the password differs, nothing changes.
    pub(crate) fn replace(&self, destination: Destination) {
        if destination.place() != self.get().place() {
            let mut later = self.later.write().unwrap_or_else(PoisonError::into_inner);
            *later = Arc::new(destination);
            self.is_replaced.store(true, Ordering::Release);
        }
    }
}
