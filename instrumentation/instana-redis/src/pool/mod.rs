//! Pools of connections, with the clients as managers. Checks of the pools are not //!
//! recorded.

#[cfg(feature = "bb8")]
mod bb8;
#[cfg(feature = "deadpool")]
pub mod deadpool;
#[cfg(feature = "r2d2")]
mod r2d2;
