//! Stands in for `steps.rs` outside of tests.

#[inline(always)]
pub(super) fn count(_: usize) {}
