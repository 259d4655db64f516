//! The agent side: one thread that finds the host agent, announces the process
//! to it and sends it spans and metrics.
//!
//! Pure parts: [`http`] (message framing), [`lifecycle`] (what to do when), [`schedule`],
//! the parsers in [`lookup`], [`identity`], [`announce`] and [`requests`]. Shells
//! around them: [`connection`] (one keep-alive connection on a [`wire`]),
//! [`session`] (one exchange each), [`worker`] (the thread), [`signal`] (what
//! other threads say to it).

pub(crate) mod announce;
pub(crate) mod connection;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod lifecycle;
pub(crate) mod lookup;
pub(crate) mod paths;
#[cfg(unix)]
mod peek;
#[cfg(not(unix))]
#[path = "peek_portable.rs"]
mod peek;
pub(crate) mod requests;
pub(crate) mod schedule;
pub(crate) mod session;
pub(crate) mod signal;
pub(crate) mod socket;
pub(crate) mod status;
#[cfg(test)]
mod testing;
pub(crate) mod voice;
pub(crate) mod wire;
pub(crate) mod worker;
