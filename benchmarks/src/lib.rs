//! Side-by-side benchmarks: the same work recorded by this tracer, by others
//! and by none. `cargo xtask bench` builds and runs them, and turns what they
//! print into tables; `docs/PERFORMANCE.md` says how to read these.

pub mod agent;
pub mod allocator;
#[cfg(feature = "clients")]
mod clients;
pub mod command;
mod count;
mod documents;
mod libraries;
mod load;
mod memory;
mod process;
mod requests;
mod saturated;
mod values;
mod wall;
mod work;
