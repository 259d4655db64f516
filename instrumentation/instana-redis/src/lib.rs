#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "aio")]
mod aio;
mod blocking;
mod client;
#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "cluster-async")]
pub mod cluster_async;
mod command;
mod connect;
#[cfg(feature = "connection-manager")]
mod connection_manager;
mod error;
mod exit;
mod forward;
#[cfg(feature = "aio")]
mod multiplexed;
mod packed;
mod pool;
mod reply;
#[cfg(feature = "sentinel")]
pub mod sentinel;
mod target;
mod traced;

pub use crate::blocking::Connection;
pub use crate::client::Client;
#[cfg(feature = "connection-manager")]
pub use crate::connection_manager::ConnectionManager;
#[cfg(feature = "aio")]
pub use crate::multiplexed::MultiplexedConnection;
#[cfg(feature = "deadpool")]
pub use crate::pool::deadpool;
pub use crate::target::Target;
pub use crate::traced::Traced;
