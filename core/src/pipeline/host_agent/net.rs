//! Sockets that never block, and waiting for several of them at once.
#![expect(
    unsafe_code,
    reason = "std connects without blocking only by closing the socket when its time is over, and waits for \
              one socket at a time"
)]

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::time::{Duration, Instant};

use crate::base::descriptor::Descriptor;

/// The most sockets that are waited for at once; others are looked at with them.
const MOST: usize = 16;
/// The longest wait, so that its milliseconds fit.
const LONGEST: Duration = Duration::from_secs(60);

/// How new sockets are made: closed in programs that are executed, never blocking.
#[cfg(any(target_os = "linux", target_os = "android"))]
const FLAGS: libc::c_int = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const FLAGS: libc::c_int = 0;

/// What a socket is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interest<'a> {
    pub(crate) stream: &'a TcpStream,
    /// For room to write, too.
    pub(crate) write: bool,
}

/// Begins to connect. The socket tells by becoming writable how that went.
pub(crate) fn dial(address: &SocketAddr) -> io::Result<Descriptor<TcpStream>> {
    let family = match address {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    // SAFETY: no pointer is passed.
    let number = unsafe { libc::socket(family, libc::SOCK_STREAM | FLAGS, 0) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just opened, and nobody else owns it.
    let stream = unsafe { TcpStream::from_raw_fd(number) };
    // Above 2 before anything leads to the agent.
    let mut socket = Descriptor::new(stream)?;
    let stream = socket.get().ok_or(ErrorKind::NotFound)?;
    if FLAGS == 0 {
        stream.set_nonblocking(true)?;
        // SAFETY: no pointer is passed.
        let _ = unsafe { libc::fcntl(stream.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    no_signal(stream);
    // Latency only; a socket that refuses it still works.
    drop(stream.set_nodelay(true));
    match connect(stream, address) {
        Ok(()) => Ok(socket),
        Err(error) if is_under_way(&error) => Ok(socket),
        Err(error) => Err(error),
    }
}

/// Writing to a socket whose peer is gone signals nobody. Elsewhere than on Apple's systems
/// std says so with each write.
#[cfg(target_vendor = "apple")]
fn no_signal(stream: &TcpStream) {
    let yes: libc::c_int = 1;
    let length = mem::size_of_val(&yes) as libc::socklen_t;
    let (number, option) = (stream.as_raw_fd(), libc::SO_NOSIGPIPE);
    let pointer = (&raw const yes).cast();
    // SAFETY: the pointer is valid for reads of `length` bytes.
    let _ = unsafe { libc::setsockopt(number, libc::SOL_SOCKET, option, pointer, length) };
}

#[cfg(not(target_vendor = "apple"))]
fn no_signal(_stream: &TcpStream) {}

fn is_under_way(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}

fn connect(stream: &TcpStream, address: &SocketAddr) -> io::Result<()> {
    let number = stream.as_raw_fd();
    let result = match address {
        SocketAddr::V4(address) => {
            // SAFETY: all zero is a valid `sockaddr_in`.
            let mut raw: libc::sockaddr_in = unsafe { mem::zeroed() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = address.port().to_be();
            raw.sin_addr.s_addr = u32::from_ne_bytes(address.ip().octets());
            let length = mem::size_of_val(&raw) as libc::socklen_t;
            // SAFETY: the pointer is valid for reads of `length` bytes.
            unsafe { libc::connect(number, (&raw const raw).cast(), length) }
        }
        SocketAddr::V6(address) => {
            // SAFETY: all zero is a valid `sockaddr_in6`.
            let mut raw: libc::sockaddr_in6 = unsafe { mem::zeroed() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = address.port().to_be();
            raw.sin6_addr.s6_addr = address.ip().octets();
            raw.sin6_flowinfo = address.flowinfo();
            raw.sin6_scope_id = address.scope_id();
            let length = mem::size_of_val(&raw) as libc::socklen_t;
            // SAFETY: the pointer is valid for reads of `length` bytes.
            unsafe { libc::connect(number, (&raw const raw).cast(), length) }
        }
    };
    if result == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// Waits until one of the sockets can go on, `until` at the latest. May return early.
pub(crate) fn wait(interests: &[Interest<'_>], until: Instant) {
    let time = until.saturating_duration_since(Instant::now()).min(LONGEST);
    if time.is_zero() {
        return;
    }
    // Rounded up: not again and again at the end.
    let millis = libc::c_int::try_from(time.as_micros().div_ceil(1000)).unwrap_or(1);
    let nobody = libc::pollfd {
        fd: -1,
        events: 0,
        revents: 0,
    };
    let mut polled = [nobody; MOST];
    for (place, interest) in polled.iter_mut().zip(interests) {
        place.fd = interest.stream.as_raw_fd();
        place.events = libc::POLLIN;
        if interest.write {
            place.events |= libc::POLLOUT;
        }
    }
    let count = interests.len().min(MOST) as libc::nfds_t;
    // SAFETY: the pointer is valid for reads and writes of `count` entries.
    let _ = unsafe { libc::poll(polled.as_mut_ptr(), count, millis) };
}
