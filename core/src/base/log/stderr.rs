//! Lines to standard error, straight to descriptor 2. The lock of `std::io::stderr` is not
//! taken: a forked child may need it.
//!
//! What the descriptor was is looked at before each write: where the application has
//! closed it, the number may belong to a file or a socket of the application by now.
//! Signals that a write may raise reach nobody: SIGPIPE where the reader is gone,
//! SIGXFSZ where a file is full, SIGTTOU where the terminal is another job's.
#![expect(
    unsafe_code,
    reason = "fstat, poll, write and the signal mask are C; std's standard error has a lock"
)]

use std::fs::File;
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::ptr;
use std::thread;
use std::time::Duration;

use libc::{c_int, sigset_t};

/// Standard error.
const DESCRIPTOR: c_int = 2;

/// How long one look for room takes, in milliseconds; then it is looked whether the
/// descriptor is still what it was.
const LOOK: c_int = 1_000;

/// The pause where there seemed to be room and was none.
const PAUSE: Duration = Duration::from_millis(10);

/// The bits of a mode that say what a file is (`S_IFMT`).
const MODE_KIND: u32 = 0o170_000;

/// Signals that writing raises.
const RAISED: [c_int; 3] = [libc::SIGPIPE, libc::SIGTTOU, libc::SIGXFSZ];

/// What standard error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// Nobody has looked yet.
    Unknown,
    /// There is none.
    Closed,
    Open(Identity),
}

/// By what a file is known, whatever its number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    kind: u32,
}

impl Destination {
    /// What descriptor 2 is now.
    pub(super) fn now() -> Self {
        // SAFETY: the number is not owned, and not closed: what is made of it is never
        // dropped. Where nothing is open by it, the call below fails.
        let found = ManuallyDrop::new(unsafe { File::from_raw_fd(DESCRIPTOR) });
        found.metadata().map_or(Self::Closed, |found| {
            Self::Open(Identity {
                device: found.dev(),
                inode: found.ino(),
                kind: found.mode() & MODE_KIND,
            })
        })
    }

    /// True where a write goes to where it was meant to go.
    fn is_there(self) -> bool {
        matches!(self, Self::Open(_)) && self == Self::now()
    }
}

/// Writes one line, in one piece where the system takes it so: up to 4 KiB on Linux.
/// False where that was not possible. Blocks as long as standard error does.
pub(super) fn write(destination: Destination, text: &str) -> bool {
    let line = format!("instana: {text}\n");
    let mut rest = line.as_bytes();
    while !rest.is_empty() {
        if !has_room(destination) {
            return false;
        }
        match write_without_signals(rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => {}
                // The application has made it so, and it is full after all.
                io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
                _ => return false,
            },
        }
    }
    true
}

/// Waits for room as long as the descriptor is what it was and somebody reads.
fn has_room(destination: Destination) -> bool {
    while destination.is_there() {
        let mut look = libc::pollfd {
            fd: DESCRIPTOR,
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: `look` is one entry, as the call's argument says.
        let found = unsafe { libc::poll(&raw mut look, 1, LOOK) };
        if found > 0 {
            let is_over = look.revents & (libc::POLLERR | libc::POLLNVAL) != 0;
            let has_room = look.revents & libc::POLLOUT != 0;
            return has_room && !is_over && destination.is_there();
        }
        if found < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return false;
        }
    }
    false
}

/// One write. A signal that it raises is taken off this thread again.
fn write_without_signals(bytes: &[u8]) -> io::Result<usize> {
    let raised = set_of(&RAISED);
    let pending = RAISED.map(is_pending);
    let mut before = MaybeUninit::<sigset_t>::uninit();
    // SAFETY: `raised` is a set, and `before` is memory for one.
    let blocked =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const raised, before.as_mut_ptr()) };
    if blocked != 0 {
        return Err(io::Error::from_raw_os_error(blocked));
    }
    // SAFETY: pointer and length belong to `bytes`.
    let written = unsafe { libc::write(DESCRIPTOR, bytes.as_ptr().cast(), bytes.len()) };
    let result = usize::try_from(written).map_err(|_| io::Error::last_os_error());
    if result.is_err() {
        for (signal, was_pending) in RAISED.into_iter().zip(pending) {
            if !was_pending && is_pending(signal) {
                take(signal);
            }
        }
    }
    // SAFETY: the first call has filled `before`.
    let _ = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    result
}

fn set_of(signals: &[c_int]) -> sigset_t {
    let mut set = MaybeUninit::<sigset_t>::uninit();
    // SAFETY: `sigemptyset` fills the set, and the others add to it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    }
}

/// True where the signal waits for this thread or the process.
fn is_pending(signal: c_int) -> bool {
    let mut pending = set_of(&[]);
    // SAFETY: `pending` is a set, which the first call fills anew.
    unsafe {
        libc::sigpending(&raw mut pending) == 0
            && libc::sigismember(&raw const pending, signal) == 1
    }
}

/// Takes a signal that is pending.
fn take(signal: c_int) {
    let set = set_of(&[signal]);
    let mut taken = 0;
    // SAFETY: both outlive the call, which returns at once: the signal is there.
    let _ = unsafe { libc::sigwait(&raw const set, &raw mut taken) };
}
