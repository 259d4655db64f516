//! An open socket, read and written within a total deadline.
//!
//! The socket's own timeouts are set only where those in force would outlast
//! the deadline, or end far before it: not for each of a second's exchanges.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::agent::peek;

/// The most bytes handed to the kernel at once, so that the deadline is looked
/// at while a large body is sent.
pub(crate) const WRITE_PART: usize = 64 * 1024;
/// The shortest timeout that is set: how late a deadline may be noticed.
const SHORTEST: Duration = Duration::from_millis(1);

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    /// The timeouts in force; none yet.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

/// Why a socket is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The peer closed or reset the connection.
    Closed,
    /// The deadline has passed.
    Timeout,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            read_timeout: None,
            write_timeout: None,
        }
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// False where the peer has said something that nobody asked for: good-bye,
    /// mostly.
    pub(crate) fn is_quiet(&self) -> bool {
        peek::is_quiet(&self.stream)
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        while !bytes.is_empty() {
            let left = remaining(deadline).ok_or(Broken::Timeout)?;
            if let Some(timeout) = better(self.write_timeout, left) {
                self.stream
                    .set_write_timeout(Some(timeout))
                    .map_err(|_| Broken::Closed)?;
                self.write_timeout = Some(timeout);
            }
            let part = bytes.get(..WRITE_PART).unwrap_or(bytes);
            match self.stream.write(part) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) => again(&error)?,
            }
        }
        Ok(())
    }

    /// What has come, at least a byte; 0 where the peer has closed.
    pub(crate) fn read(&mut self, part: &mut [u8], deadline: Instant) -> Result<usize, Broken> {
        loop {
            let left = remaining(deadline).ok_or(Broken::Timeout)?;
            if let Some(timeout) = better(self.read_timeout, left) {
                self.stream
                    .set_read_timeout(Some(timeout))
                    .map_err(|_| Broken::Closed)?;
                self.read_timeout = Some(timeout);
            }
            match self.stream.read(part) {
                Ok(count) => return Ok(count),
                Err(error) => again(&error)?,
            }
        }
    }
}

/// The time left, if any.
pub(crate) fn remaining(deadline: Instant) -> Option<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|time| !time.is_zero())
}

/// The timeout to set where `left` is left: a little less, so that it will also
/// do for the next exchange. `None` where the one in force will do.
fn better(in_force: Option<Duration>, left: Duration) -> Option<Duration> {
    let will_do = in_force.is_some_and(|timeout| timeout <= left && timeout >= left / 2);
    (!will_do).then(|| (left - left / 8).max(SHORTEST))
}

/// `Ok` where a system call is to be repeated, if there is time left.
fn again(error: &io::Error) -> Result<(), Broken> {
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::WouldBlock => Ok(()),
        _ => Err(Broken::Closed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_kept_while_it_will_do() {
        let ms = Duration::from_millis;
        for (in_force, left, set) in [
            (None, ms(4_000), Some(ms(3_500))),
            (Some(ms(3_500)), ms(4_000), None),
            (Some(ms(3_500)), ms(3_500), None),
            // It would outlast the deadline.
            (Some(ms(3_500)), ms(3_499), Some(ms(3_499) - ms(3_499) / 8)),
            // It would end far before, again and again.
            (Some(ms(3_500)), ms(8_000), Some(ms(7_000))),
            (Some(ms(1)), Duration::from_nanos(1), Some(SHORTEST)),
        ] {
            assert_eq!(better(in_force, left), set, "{in_force:?} {left:?}");
        }
    }
}
