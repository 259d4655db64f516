//! An open socket to the agent that never blocks.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::base::descriptor::Descriptor;
use crate::pipeline::host_agent::net;
use crate::pipeline::host_agent::net::Interest;
use crate::pipeline::host_agent::socket;
use crate::pipeline::host_agent::socket::SocketName;

/// A socket that is being connected, or is connected.
#[derive(Debug)]
pub(crate) struct Link {
    socket: Descriptor<TcpStream>,
    is_connected: bool,
    /// Whether an exchange has ended well on it.
    pub(crate) is_used: bool,
}

/// Why a socket is of no more use.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The peer closed the connection.
    Closed,
    /// It could not be made.
    Connect(io::Error),
    /// The application has closed or replaced our descriptor.
    NotOurs,
    /// The peer, or the way to it, broke the connection off: it has not taken all of what
    /// was sent last.
    Reset,
}

impl Link {
    /// Begins to connect.
    pub(crate) fn dial(address: &SocketAddr) -> Result<Self, Broken> {
        Ok(Self {
            socket: net::dial(address).map_err(Broken::Connect)?,
            is_connected: false,
            is_used: false,
        })
    }

    /// Whether it is connected by now.
    pub(crate) fn connected(&mut self) -> Result<bool, Broken> {
        if self.is_connected {
            return Ok(true);
        }
        let stream = self.socket.get().ok_or(Broken::NotOurs)?;
        if let Some(error) = stream.take_error().map_err(Broken::Connect)? {
            return Err(Broken::Connect(error));
        }
        let Ok(peer) = stream.peer_addr() else {
            return Ok(false);
        };
        // A port of the ephemeral range on this machine can end up connected to itself,
        // and would then be taken when the agent comes up.
        if stream.local_addr().is_ok_and(|own| own == peer) {
            return Err(Broken::Connect(ErrorKind::ConnectionRefused.into()));
        }
        self.is_connected = true;
        Ok(true)
    }

    /// False where the peer has said something that nobody asked for (good-bye, mostly),
    /// or where the socket is not ours any more.
    pub(crate) fn is_quiet(&mut self) -> bool {
        let peeked = self.socket.get().map(|stream| stream.peek(&mut [0]));
        matches!(peeked, Some(Err(error)) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Writes as much as there is room for; 0: none now.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let mut stream = self.socket.get().ok_or(Broken::NotOurs)?;
        match stream.write(bytes) {
            Ok(0) => Err(Broken::Closed),
            Ok(count) => Ok(count),
            Err(error) => later(&error).map(|()| 0),
        }
    }

    /// Reads what has come, 0 where the peer has closed; `None`: nothing yet.
    pub(crate) fn read(&mut self, part: &mut [u8]) -> Result<Option<usize>, Broken> {
        let mut stream = self.socket.get().ok_or(Broken::NotOurs)?;
        match stream.read(part) {
            Ok(count) => Ok(Some(count)),
            Err(error) => later(&error).map(|()| None),
        }
    }

    /// What to wait for: something to read, and room to `write`, which a socket that is
    /// being connected has when it is. `None` where it is not ours any more.
    pub(crate) fn interest(&mut self, write: bool) -> Option<Interest<'_>> {
        let write = write || !self.is_connected;
        let stream = self.socket.get()?;
        Some(Interest { stream, write })
    }

    /// The socket as other processes see it.
    pub(crate) fn name(&mut self) -> Option<SocketName> {
        socket::name(self.socket.get()?)
    }
}

/// `Ok` where a system call is to be repeated later.
fn later(error: &io::Error) -> Result<(), Broken> {
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::WouldBlock => Ok(()),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            Err(Broken::Reset)
        }
        _ => Err(Broken::Closed),
    }
}
