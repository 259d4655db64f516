#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod join_set;
mod spawn;

pub use crate::join_set::JoinSet;
pub use crate::spawn::{spawn, spawn_blocking, spawn_local};
