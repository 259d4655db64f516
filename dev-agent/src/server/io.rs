//! The output of a connection, which faults can cut off or garble.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connections::Connection;

/// What happens to the bytes that the HTTP layer writes.
#[derive(Debug)]
enum Mode {
    Pass,
    /// These go out in their place, then the connection is closed.
    Replace(Vec<u8>),
    /// Half of the next write goes out, then the connection is closed.
    Half,
    Closed,
}

/// Changes the output of a connection from inside a request.
#[derive(Clone, Debug)]
pub(crate) struct Output(Arc<Mutex<Mode>>);

impl Output {
    pub(crate) fn replace(&self, bytes: Vec<u8>) {
        self.set(Mode::Replace(bytes));
    }

    pub(crate) fn half(&self) {
        self.set(Mode::Half);
    }

    fn set(&self, mode: Mode) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }
}

/// A connection whose output can be spoilt.
#[derive(Debug)]
pub(crate) struct FaultyIo {
    stream: TcpStream,
    output: Output,
    connection: Arc<Connection>,
}

impl FaultyIo {
    pub(super) fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        let output = Output(Arc::new(Mutex::new(Mode::Pass)));
        Self {
            stream,
            output,
            connection,
        }
    }

    pub(crate) fn output(&self) -> Output {
        self.output.clone()
    }
}

impl AsyncRead for FaultyIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.connection.received();
        }
        read
    }
}

impl AsyncWrite for FaultyIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut mode = this.output.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = Pin::new(&mut this.stream);
        match &mut *mode {
            Mode::Pass => {
                let written = ready!(stream.poll_write(cx, buf))?;
                this.connection.sent();
                Poll::Ready(Ok(written))
            }
            Mode::Replace(bytes) => {
                let written = ready!(stream.poll_write(cx, bytes))?;
                bytes.drain(..written);
                if bytes.is_empty() {
                    *mode = Mode::Closed;
                    return Poll::Ready(Ok(buf.len()));
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Mode::Half => {
                let half = buf.get(..buf.len() / 2).unwrap_or_default();
                ready!(stream.poll_write(cx, half))?;
                *mode = Mode::Closed;
                Poll::Ready(Ok(buf.len()))
            }
            Mode::Closed => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
