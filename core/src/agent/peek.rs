//! A look at a socket without taking anything from it, in one system call.
#![expect(
    unsafe_code,
    reason = "std can look without blocking only by switching the socket's mode to and fro, in three system calls"
)]

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

/// True where nothing waits to be read and the peer has not closed.
pub(super) fn is_quiet(stream: &TcpStream) -> bool {
    let mut byte = 0_u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the descriptor is open while `stream` lives, and the pointer is
    // valid for writes of one byte.
    let result = unsafe { libc::recv(stream.as_raw_fd(), (&raw mut byte).cast(), 1, flags) };
    result < 0 && io::Error::last_os_error().kind() == ErrorKind::WouldBlock
}
