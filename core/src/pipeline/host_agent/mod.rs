//! The agent side: one thread that finds the host agent, announces the process
//! to it and sends it spans and metrics.
//!
//! Pure parts: [`http`] (message framing), [`lifecycle`] (what to do when), [`schedule`],
//! the parsers in [`lookup`], [`identity`], [`announce`] and [`agent_requests`]. Shells
//! around them: [`link`] (a socket that never blocks), [`exchange`] (a request and its answer
//! over one), [`connection`] (one that is kept), [`search`] (all places at once), [`delivery`]
//! (a request that is on its way), [`session`] (how each begins and ends), [`worker`] (the
//! thread), [`signal`] (what other threads say to it).

pub(crate) mod address;
mod agent_requests;
pub(crate) mod announce;
pub(crate) mod connection;
pub(crate) mod delivery;
pub(crate) mod exchange;
mod foreign_answer;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod lifecycle;
pub(crate) mod link;
mod log_once;
mod log_texts;
pub(crate) mod lookup;
#[cfg(unix)]
pub(crate) mod net;
#[cfg(not(unix))]
#[path = "net_portable.rs"]
pub(crate) mod net;
pub(crate) mod paths;
pub(crate) mod schedule;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod size;
pub(crate) mod socket;
#[cfg(test)]
mod testing;
mod transport;
pub(crate) mod worker;

pub(crate) use self::transport::HostAgent;
