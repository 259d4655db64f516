//! The families and sections that the process has used, by number: records name them so.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::{Family, Section};

/// The process's families or sections, in the order in which they were first
/// used: records name them by index.
#[derive(Debug)]
pub(crate) struct Registry<T: 'static> {
    entries: Mutex<Vec<&'static T>>,
    max: usize,
}

/// The lock of a registry.
pub(crate) type RegistryGuard<'a, T> = MutexGuard<'a, Vec<&'static T>>;

pub(crate) static FAMILIES: Registry<Family> = Registry {
    entries: Mutex::new(Vec::new()),
    max: u16::MAX as usize,
};
pub(crate) static SECTIONS: Registry<Section> = Registry {
    entries: Mutex::new(Vec::new()),
    max: u8::MAX as usize - 1,
};

impl<T> Registry<T> {
    /// The index of `entry`, whose own memory of it is `index` (0: none yet).
    /// 0 is also what an entry beyond the maximum gets: it is not recorded.
    #[inline]
    pub(crate) fn index(&self, entry: &'static T, index: &AtomicU32) -> u32 {
        match index.load(Ordering::Relaxed) {
            0 => self.register(entry, index),
            known => known,
        }
    }

    #[cold]
    fn register(&self, entry: &'static T, index: &AtomicU32) -> u32 {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let known = index.load(Ordering::Relaxed);
        if known != 0 || entries.len() >= self.max || entries.try_reserve(1).is_err() {
            return known;
        }
        entries.push(entry);
        let new = entries.len() as u32;
        index.store(new, Ordering::Relaxed);
        new
    }

    /// The entry with this index.
    pub(crate) fn get(&self, index: u16) -> Option<&'static T> {
        let at = usize::from(index).checked_sub(1)?;
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(at)
            .copied()
    }

    /// Keeps everybody else out.
    pub(crate) fn hold(&self) -> RegistryGuard<'_, T> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn all(&self) -> Vec<&'static T> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
