#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(all(tokio_unstable, feature = "tracing"))]
mod builder;
#[cfg(tokio_unstable)]
mod contexts;
mod join_set;
mod metrics;
#[cfg(tokio_unstable)]
mod propagate;
mod spawn;

#[cfg(all(tokio_unstable, feature = "tracing"))]
pub use crate::builder::{Builder, JoinSetBuilder};
pub use crate::join_set::JoinSet;
pub use crate::metrics::RuntimeMetrics;
#[cfg(tokio_unstable)]
pub use crate::propagate::propagate;
pub use crate::spawn::{spawn, spawn_blocking, spawn_local};
