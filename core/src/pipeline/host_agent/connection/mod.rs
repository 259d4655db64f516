//! A keep-alive connection to the agent. Every exchange has a total deadline.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Instant;

use crate::pipeline::host_agent::address::Address;
use crate::pipeline::host_agent::exchange::Failure;
use crate::pipeline::host_agent::link::{Broken, Link};
use crate::pipeline::host_agent::net;
use crate::pipeline::host_agent::socket::SocketName;

/// The largest body of an answer in bytes.
pub(crate) const MAX_ANSWER: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum Error {
    /// The connection could not be made: no agent there, or not reachable.
    Connect(Address, io::Error),
    /// The deadline passed.
    Timeout(Address),
    /// The peer closed or reset the connection.
    Closed(Address),
    /// The peer does not speak HTTP, or speaks it wrongly; says what is wrong.
    Malformed(Address, &'static str),
    /// The application has closed or replaced our descriptor.
    NotOurs(Address),
    /// The answer is larger than the limit (in bytes).
    TooLarge(Address, usize),
}

impl Error {
    pub(crate) fn new(address: &Address, failure: Failure) -> Self {
        let address = address.clone();
        match failure {
            Failure::Closed { .. } | Failure::Reset { .. } => Self::Closed(address),
            Failure::Connect(error) => match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::Timeout(address),
                _ => Self::Connect(address, error),
            },
            Failure::Malformed(what) => Self::Malformed(address, what),
            Failure::NotOurs => Self::NotOurs(address),
            Failure::Timeout => Self::Timeout(address),
            Failure::TooLarge => Self::TooLarge(address, MAX_ANSWER),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(address, error) => write!(f, "{address}: no connection ({error})"),
            Self::Timeout(address) => write!(f, "{address}: no answer in time"),
            Self::Closed(address) => write!(f, "{address}: closed without a whole answer"),
            Self::Malformed(address, what) => write!(f, "{address}: {what}"),
            Self::NotOurs(address) => {
                write!(f, "{address}: the application closed the connection")
            }
            Self::TooLarge(address, limit) => {
                write!(f, "{address}: the answer is larger than {limit} bytes")
            }
        }
    }
}

impl std::error::Error for Error {}

/// A connection that is made when needed and kept while both sides want it.
#[derive(Debug)]
pub(crate) struct Connection {
    address: Address,
    /// Which of the host's addresses an agent answered at.
    peer: SocketAddr,
    link: Option<Link>,
}

impl Connection {
    /// A connection to be made; nothing happens yet.
    pub(crate) fn new(address: Address, peer: SocketAddr) -> Self {
        Self {
            address,
            peer,
            link: None,
        }
    }

    /// With a link that was made before.
    pub(crate) fn with(mut self, link: Option<Link>) -> Self {
        self.link = link;
        self
    }

    /// Keeps a link for the next exchange.
    pub(crate) fn keep(&mut self, link: Option<Link>) {
        self.link = link;
    }

    /// Where it leads.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Another one to the same place, to be made.
    pub(crate) fn another(&self) -> Self {
        Self::new(self.address.clone(), self.peer)
    }

    /// Whether both lead to the same place.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.peer == other.peer && self.address == other.address
    }

    /// Closes the connection; the next exchange makes a new one.
    pub(crate) fn disconnect(&mut self) {
        self.link = None;
    }

    /// Makes a new connection and names its socket, for the announce. Stays true during
    /// the next exchange.
    pub(crate) fn identity(&mut self, deadline: Instant) -> Option<SocketName> {
        // A failure shows again in the next exchange.
        let mut link = Link::dial(&self.peer).ok()?;
        while !link.connected().ok()? {
            if Instant::now() >= deadline {
                return None;
            }
            net::wait(&[link.interest(true)?], deadline);
        }
        let name = link.name();
        self.link = Some(link);
        name
    }

    /// A link for one exchange: the one that waits, unless the peer has already said
    /// something on it (good-bye, mostly), or one that is being made.
    pub(crate) fn link(&mut self) -> Result<Link, Failure> {
        if let Some(mut link) = self.link.take() {
            if !link.is_used || link.is_quiet() {
                return Ok(link);
            }
        }
        self.fresh_link()
    }

    /// A link that is being made.
    pub(crate) fn fresh_link(&self) -> Result<Link, Failure> {
        Link::dial(&self.peer).map_err(|broken| match broken {
            Broken::Connect(error) => Failure::Connect(error),
            _ => Failure::NotOurs,
        })
    }
}

/// Whether a connection that was kept may have been closed before the request.
pub(crate) fn was_stale(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Closed { answered: false } | Failure::NotOurs | Failure::Reset { answered: false }
    )
}

#[cfg(test)]
mod tests;
