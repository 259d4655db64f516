//! One blocking keep-alive connection to the agent. Every exchange has a total
//! deadline.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use crate::agent::http::{Decoder, Fault, Method, Request, Response};
use crate::agent::socket::{self, SocketName};
use crate::agent::wire::{Broken, Wire, remaining};

/// The largest body of an answer in bytes.
pub(crate) const MAX_ANSWER: usize = 1024 * 1024;
/// Bodies up to this size leave together with their head.
const ONE_PACKET: usize = 16 * 1024;
/// Bytes of an answer that are read at once. Most have fewer.
const READ_PART: usize = 4 * 1024;

/// Where the agent is, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
    authority: String,
}

impl Address {
    /// `host` is a name, an IPv4 address or an IPv6 address, with or without brackets.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let host = host.trim();
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host).to_owned();
        let authority = match host.split_once('%') {
            // A zone means something on this machine only (RFC 9110, 7.2).
            Some((address, _)) if address.contains(':') => format!("[{address}]:{port}"),
            _ if host.contains(':') => format!("[{host}]:{port}"),
            _ => format!("{host}:{port}"),
        };
        Self {
            host,
            port,
            authority,
        }
    }

    /// All socket addresses of the host. A name is looked up by the system's
    /// resolver, which knows no deadline: with a name server that does not
    /// answer this takes as long as the system is set to (often 5 to 30 s).
    fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        // What would break the request's head is no host.
        if self.host.is_empty() || !self.host.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a host name"));
        }
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

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
    /// The answer is larger than the limit (in bytes).
    TooLarge(Address, usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(address, error) => write!(f, "{address}: no connection ({error})"),
            Self::Timeout(address) => write!(f, "{address}: no answer in time"),
            Self::Closed(address) => write!(f, "{address}: closed without a whole answer"),
            Self::Malformed(address, what) => write!(f, "{address}: {what}"),
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
    limit: usize,
    wire: Option<Wire>,
    /// What is sent in one piece: a head, and a body if it is small.
    out: Vec<u8>,
    part: Box<[u8; READ_PART]>,
    /// Whether an exchange has ended well on this stream.
    used: bool,
}

impl Connection {
    /// A connection to be made; nothing happens yet.
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            limit: MAX_ANSWER,
            wire: None,
            out: Vec::new(),
            part: Box::new([0; READ_PART]),
            used: false,
        }
    }

    /// Where it leads.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Connects, if it is not connected: each address of the host in turn,
    /// within the deadline together.
    pub(crate) fn connect(&mut self, deadline: Instant) -> Result<(), Error> {
        if self.wire.is_some() {
            return Ok(());
        }
        self.used = false;
        let addresses = self
            .address
            .resolve()
            .map_err(|error| self.refused(error))?;
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for (tried, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let time = remaining(deadline).ok_or_else(|| Error::Timeout(self.address.clone()))?;
            // At least a millisecond: zero would be an error.
            let time = (time / left).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(address, time) {
                // A port of the ephemeral range on this machine can end up
                // connected to itself, and would then be taken when the agent
                // comes up.
                Ok(stream) if is_own_peer(&stream) => {
                    last = ErrorKind::ConnectionRefused.into();
                }
                Ok(stream) => {
                    // Latency only; a socket that refuses it still works.
                    drop(stream.set_nodelay(true));
                    self.wire = Some(Wire::new(stream));
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        Err(self.refused(last))
    }

    /// Closes the connection; the next exchange makes a new one.
    pub(crate) fn disconnect(&mut self) {
        self.wire = None;
    }

    /// The descriptor and inode of the open socket, for the announce. Stays
    /// true during the next exchange only if the connection is a fresh one.
    pub(crate) fn identity(&self) -> Option<SocketName> {
        socket::name(self.wire.as_ref()?.stream())
    }

    /// One exchange, ended by `deadline` at the latest. When a connection that
    /// was used before turns out to be closed before any byte of the answer,
    /// the request is sent once more on a fresh one.
    pub(crate) fn send(
        &mut self,
        request: &Request<'_>,
        deadline: Instant,
    ) -> Result<Response, Error> {
        self.drop_if_stale();
        let reused = self.wire.is_some() && self.used;
        self.connect(deadline)?;
        let mut outcome = self.exchange(request, deadline);
        if reused && matches!(outcome, Err(Failure::Closed { answered: false })) {
            self.disconnect();
            self.connect(deadline)?;
            outcome = self.exchange(request, deadline);
        }
        match outcome {
            Ok((response, keep_alive)) => {
                self.used = true;
                if !keep_alive {
                    self.disconnect();
                }
                Ok(response)
            }
            Err(failure) => {
                self.disconnect();
                Err(self.describe(failure))
            }
        }
    }

    /// Closes a waiting connection on which the peer has already said
    /// something: good-bye, mostly.
    fn drop_if_stale(&mut self) {
        if self.wire.as_ref().is_some_and(|wire| !wire.is_quiet()) {
            self.disconnect();
        }
    }

    fn exchange(
        &mut self,
        request: &Request<'_>,
        deadline: Instant,
    ) -> Result<(Response, bool), Failure> {
        let Some(wire) = &mut self.wire else {
            return Err(Failure::Closed { answered: false });
        };
        self.out.clear();
        request.write_head(&self.address.authority, &mut self.out);
        let mut body = request.body;
        if body.len() <= ONE_PACKET {
            self.out.extend_from_slice(body);
            body = &[];
        }
        let written = wire
            .write(&self.out, deadline)
            .and_then(|()| wire.write(body, deadline));
        let mut answer = || read(wire, &mut *self.part, request.method, self.limit, deadline);
        match written {
            Ok(()) => answer(),
            // The peer may have answered (413, say) before it closed.
            Err(Broken::Closed) => match answer() {
                Ok((response, _)) => Ok((response, false)),
                Err(_) => Err(Failure::Closed { answered: false }),
            },
            Err(Broken::Timeout) => Err(Failure::Timeout),
        }
    }

    fn refused(&self, error: io::Error) -> Error {
        match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Error::Timeout(self.address.clone()),
            _ => Error::Connect(self.address.clone(), error),
        }
    }

    fn describe(&self, failure: Failure) -> Error {
        let address = self.address.clone();
        match failure {
            Failure::Closed { .. } => Error::Closed(address),
            Failure::Malformed(what) => Error::Malformed(address, what),
            Failure::Timeout => Error::Timeout(address),
            Failure::TooLarge => Error::TooLarge(address, self.limit),
        }
    }
}

/// Why an exchange broke off.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Closed { answered: bool },
    Malformed(&'static str),
    Timeout,
    TooLarge,
}

fn read(
    wire: &mut Wire,
    part: &mut [u8],
    method: Method,
    limit: usize,
    deadline: Instant,
) -> Result<(Response, bool), Failure> {
    let mut decoder = Decoder::new(method, limit);
    loop {
        let complete = match wire.read(part, deadline) {
            Ok(0) => decoder.end().map(|()| true),
            Ok(count) => decoder.feed(part.get(..count).unwrap_or_default()),
            Err(Broken::Closed) => Err(Fault::Truncated),
            Err(Broken::Timeout) => return Err(Failure::Timeout),
        };
        match complete {
            Ok(true) => return Ok(decoder.finish()),
            Ok(false) => {}
            Err(Fault::Malformed(what)) => return Err(Failure::Malformed(what)),
            Err(Fault::TooLarge) => return Err(Failure::TooLarge),
            Err(Fault::Truncated) => {
                let answered = decoder.started();
                return Err(Failure::Closed { answered });
            }
        }
    }
}

fn is_own_peer(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(own), Ok(peer)) if own == peer)
}

#[cfg(test)]
mod tests;
