//! The pool in one order of its threads, and in all of them.

#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod pool;
