//! Systems on which no stacks are captured: there is nothing to resolve.

use std::time::Instant;

use crate::base::losses::Losses;

/// Writes nothing.
#[derive(Debug, Default)]
pub(crate) struct Resolver;

impl Resolver {
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn unhurried() -> Self {
        Self
    }

    /// Leaves the stack out.
    pub(crate) fn write(&mut self, _: &[u8], _: usize, _: &mut Vec<u8>) {
        Losses::stack();
    }

    /// Nothing is loaded.
    pub(crate) fn tick(&mut self, _: Instant) {}
}
