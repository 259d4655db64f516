#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod stream;

pub use crate::stream::{InSpan, StreamExt};
pub use instana::FutureExt;
