//! Sockets that never block once they are connected, by std alone: connecting blocks for
//! a short time, and waiting is looking again.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::descriptor::Descriptor;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_millis(300);
/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// What a socket is waited for.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "what sockets are ready is found by trying")]
pub(crate) struct Interest<'a> {
    pub(crate) stream: &'a TcpStream,
    /// For room to write, too.
    pub(crate) write: bool,
}

/// Connects.
pub(crate) fn dial(address: &SocketAddr) -> io::Result<Descriptor<TcpStream>> {
    let stream = TcpStream::connect_timeout(address, CONNECT)?;
    stream.set_nonblocking(true)?;
    // Latency only; a socket that refuses it still works.
    drop(stream.set_nodelay(true));
    Descriptor::new(stream)
}

/// Waits a little, `until` at the latest.
pub(crate) fn wait(_interests: &[Interest<'_>], until: Instant) {
    thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
}
