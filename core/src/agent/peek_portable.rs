//! A look at a socket without taking anything from it.

use std::io::ErrorKind;
use std::net::TcpStream;

/// True where nothing waits to be read and the peer has not closed.
pub(super) fn is_quiet(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).is_ok()
        && matches!(stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        && stream.set_nonblocking(false).is_ok()
}
