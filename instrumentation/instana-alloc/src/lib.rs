#![doc = include_str!("../README.md")]

#[cfg(feature = "jemalloc")]
mod jemalloc;
#[cfg(feature = "mimalloc")]
mod mimalloc;

#[cfg(feature = "jemalloc")]
pub use crate::jemalloc::Jemalloc;
#[cfg(feature = "mimalloc")]
pub use crate::mimalloc::Mimalloc;
