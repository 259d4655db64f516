//! A scripted agent on a free port, for tests: it records each request and
//! answers with what the test's handler says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The head as it was, lines and all.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What goes out.
pub(crate) enum Reply {
    /// A status and a body.
    Answer(u16, String),
    /// The connection is closed without an answer.
    Close,
    /// A status, a header and a body.
    Headed(u16, String, String),
    /// These bytes, and the connection is closed.
    Raw(Vec<u8>),
    /// The connection is reset without an answer: not all of the request was read.
    Reset,
    /// No answer, until the peer goes away.
    Hang,
}

pub(crate) fn ok(body: &str) -> Reply {
    Reply::Answer(200, body.to_owned())
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Answer(status, String::new())
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

struct Shared {
    log: Mutex<Vec<Received>>,
    changed: Condvar,
    handler: Box<Handler>,
}

/// The agent; its threads end with the test process.
pub(crate) struct FakeAgent {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl FakeAgent {
    pub(crate) fn start(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(0, handler)
    }

    /// At a port that was free a moment ago.
    pub(crate) fn start_at(
        port: u16,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            log: Mutex::default(),
            changed: Condvar::new(),
            handler: Box::new(handler),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, serving) = (stream.unwrap(), Arc::clone(&serving));
                thread::spawn(move || serve(stream, &serving));
            }
        });
        Self { port, shared }
    }

    /// All requests so far.
    pub(crate) fn log(&self) -> Vec<Received> {
        self.shared.log.lock().unwrap().clone()
    }

    /// The requests so far, once `enough` of them have come.
    pub(crate) fn wait_for(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let until = Instant::now() + PATIENCE;
        let mut log = self.shared.log.lock().unwrap();
        while !enough(&log) {
            let time = until.saturating_duration_since(Instant::now());
            assert!(!time.is_zero(), "waited in vain: {:#?}", lines(&log));
            log = self.shared.changed.wait_timeout(log, time).unwrap().0;
        }
        log.clone()
    }
}

/// `METHOD path` of each request.
pub(crate) fn lines(log: &[Received]) -> Vec<String> {
    log.iter().map(Received::line).collect()
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    while let Some(received) = receive(&mut stream) {
        let reply = (shared.handler)(&received);
        let head = received.method == "HEAD";
        shared.log.lock().unwrap().push(received);
        shared.changed.notify_all();
        let (status, header, body) = match reply {
            Reply::Answer(status, body) => (status, String::new(), body),
            Reply::Headed(status, header, body) => (status, header + "\r\n", body),
            Reply::Close => return,
            Reply::Raw(bytes) => {
                stream.write_all(&bytes).unwrap();
                return;
            }
            Reply::Reset => return reset(&stream),
            Reply::Hang => {
                drop(stream.read(&mut [0]));
                return;
            }
        };
        let length = body.len();
        let mut answer = format!("HTTP/1.1 {status} X\r\n{header}Content-Length: {length}\r\n\r\n");
        if !head {
            answer.push_str(&body);
        }
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Closes a socket as it is closed where a request was not read to its end.
#[expect(unsafe_code, reason = "std has no SO_LINGER on stable Rust")]
fn reset(stream: &TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let length = size_of::<libc::linger>() as libc::socklen_t;
    let pointer = (&raw const linger).cast();
    let (level, option) = (libc::SOL_SOCKET, libc::SO_LINGER);
    // SAFETY: the pointer is valid for reads of `length` bytes.
    let result = unsafe { libc::setsockopt(stream.as_raw_fd(), level, option, pointer, length) };
    assert_eq!(result, 0);
}

fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    Some(Received {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        head: head.clone(),
        body,
    })
}
