#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod capture;
#[cfg(feature = "kv")]
mod key_values;
#[cfg(feature = "tracing")]
mod layer;
mod logger;
mod text;
#[cfg(any(feature = "kv", feature = "tracing"))]
mod values;

pub use crate::builder::{Builder, builder};
pub use crate::capture::{FAMILY, Log};
#[cfg(feature = "tracing")]
pub use crate::layer::InstanaLayer;
pub use crate::logger::Logger;
