//! A value of one source.

use crate::config::Origin;

/// A value and who set it.
#[derive(Clone, Debug)]
pub(crate) struct Entry<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

impl<T> Entry<T> {
    pub(super) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}
