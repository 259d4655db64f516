//! One request on one connection, with a deadline for all of it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::answer::{self, Answer, Progress};
use super::failure::Failure;

/// Connecting to one host.
const CONNECT: Duration = Duration::from_secs(4);
/// Handed to the kernel at once, so that the deadline is looked at in between.
const WRITE_PART: usize = 64 * 1024;

/// A request to an agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    opened: Instant,
    within: Duration,
}

impl Connection {
    /// Connects to the first address that answers. `within` is for the whole
    /// exchange.
    pub(super) fn open(addresses: &[SocketAddr], within: Duration) -> Result<Self, Failure> {
        let opened = Instant::now();
        let share = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let each = within.min(CONNECT) / share;
        let mut refusal = io::Error::from(ErrorKind::AddrNotAvailable);
        for address in addresses {
            match TcpStream::connect_timeout(address, each.max(Duration::from_millis(1))) {
                Ok(stream) => {
                    // Without it, small requests wait for each other.
                    let _ = stream.set_nodelay(true);
                    return Ok(Self {
                        stream,
                        opened,
                        within,
                    });
                }
                // A refused connection is more informative than an address family without
                // a route.
                Err(error) if refusal.kind() == ErrorKind::AddrNotAvailable => refusal = error,
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => refusal = error,
                Err(_) => {}
            }
        }
        Err(Failure::Connect(refusal))
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends the request and reads the answer.
    pub(super) fn ask(mut self, host: &str, request: Request<'_>) -> Result<Answer, Failure> {
        let Request { method, path, body } = request;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        if !matches!(method, "GET" | "HEAD") {
            head += &format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        head += "\r\n";
        // A server that refuses a body may close before all of it is sent: the answer
        // counts.
        let sent = self.send(head.as_bytes()).and_then(|()| self.send(body));
        let mut answer = match self.receive(method == "HEAD") {
            Err(Failure::Silent(_)) if sent.is_err() => return Err(Failure::Closed),
            other => other?,
        };
        answer.took = self.opened.elapsed();
        Ok(answer)
    }

    /// Sends bytes and returns the first ones that come back.
    pub(super) fn probe(mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.send(bytes).ok()?;
        let mut first = [0; 16];
        self.stream.set_read_timeout(Some(self.left()?)).ok()?;
        let count = self.stream.read(&mut first).ok()?;
        first.get(..count).map(<[u8]>::to_vec)
    }

    /// The time that is left; sockets take no timeout of zero.
    fn left(&self) -> Option<Duration> {
        let left = self.within.checked_sub(self.opened.elapsed())?;
        Some(left).filter(|left| !left.is_zero())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for part in bytes.chunks(WRITE_PART) {
            let left = self.left().ok_or(ErrorKind::TimedOut)?;
            self.stream.set_write_timeout(Some(left))?;
            self.stream.write_all(part)?;
        }
        Ok(())
    }

    fn receive(&mut self, head_only: bool) -> Result<Answer, Failure> {
        let mut bytes = Vec::new();
        let mut part = vec![0; 16 * 1024];
        loop {
            let closed = match self.read(&mut part) {
                Ok(0) => true,
                Ok(count) => {
                    bytes.extend_from_slice(part.get(..count).unwrap_or_default());
                    false
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if is_timeout(&error) => return Err(self.late(&bytes)),
                Err(_) => true,
            };
            match answer::read(&bytes, head_only, closed)? {
                Progress::Done(answer) => return Ok(answer),
                Progress::More => {}
            }
        }
    }

    fn read(&mut self, part: &mut [u8]) -> io::Result<usize> {
        let left = self.left().ok_or(ErrorKind::TimedOut)?;
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(part)
    }

    fn late(&self, bytes: &[u8]) -> Failure {
        match bytes {
            [] => Failure::Silent(self.within),
            _ if bytes.starts_with(b"HTTP/1.") => Failure::Broken("half an answer, then nothing"),
            _ => answer::foreign(bytes),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}
