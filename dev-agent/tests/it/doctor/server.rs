//! A server that does what it is told to, right or wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request as it arrived; not HTTP is all empty.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: String,
    /// The first byte.
    pub(super) first: u8,
}

/// What is done with a connection.
pub(super) enum Act {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    Close,
    /// The connection stays open as long as the server.
    Hang,
    Late(Duration, Box<Act>),
}

impl Act {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Bytes(text.into().into_bytes())
    }

    /// An answer with a status, further head lines and a body.
    pub(super) fn answer(status: u16, head: &str, body: &str) -> Self {
        let length = body.len();
        Self::text(format!(
            "HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        ))
    }

    pub(super) fn status(status: u16) -> Self {
        Self::answer(status, "", "")
    }
}

type Behaviour = dyn Fn(&Asked) -> Option<Act> + Send + Sync;

pub(super) struct Server {
    addr: SocketAddr,
    held: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Server {
    pub(super) fn healthy() -> Self {
        Self::but(|_| None)
    }

    /// Healthy but for what `fault` does.
    pub(super) fn but(fault: impl Fn(&Asked) -> Option<Act> + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0", fault)
    }

    pub(super) fn at(
        addr: &str,
        fault: impl Fn(&Asked) -> Option<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(addr).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let held = Arc::new(Mutex::new(Some(Vec::new())));
        let (fault, holding): (Arc<Behaviour>, _) = (Arc::new(fault), Arc::clone(&held));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if holding.lock().expect("no panic").is_none() {
                    return;
                }
                let (fault, holding) = (Arc::clone(&fault), Arc::clone(&holding));
                thread::spawn(move || serve(stream, fault.as_ref(), &holding));
            }
        });
        Self { addr, held }
    }

    pub(super) fn port(&self) -> u16 {
        self.addr.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closes what hangs, and ends the thread that accepts.
        drop(self.held.lock().expect("no panic").take());
        drop(TcpStream::connect(self.addr));
    }
}

fn serve(mut stream: TcpStream, fault: &Behaviour, held: &Mutex<Option<Vec<TcpStream>>>) {
    let Ok(asked) = read(&stream) else { return };
    let mut act = fault(&asked).unwrap_or_else(|| healthy(&asked));
    loop {
        match act {
            Act::Bytes(bytes) => {
                // Whoever asked may be gone.
                let _ = stream.write_all(&bytes);
                return;
            }
            Act::Close => return,
            Act::Hang => {
                if let Some(held) = held.lock().expect("no panic").as_mut() {
                    held.push(stream);
                }
                return;
            }
            Act::Late(delay, then) => {
                thread::sleep(delay);
                act = *then;
            }
        }
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let first = reader.fill_buf()?.first().copied().unwrap_or_default();
    let mut asked = Asked {
        first,
        ..Asked::default()
    };
    if !first.is_ascii_uppercase() {
        return Ok(asked);
    }
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    asked.method = words.next().unwrap_or_default().to_owned();
    asked.path = words.next().unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(asked)
}

/// What an agent does.
fn healthy(asked: &Asked) -> Act {
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => Act::answer(200, "", r#"{"version":"1.1.700"}"#),
        ("PUT", "/com.instana.plugin.rust.discovery") => Act::answer(200, "", &announced("")),
        ("HEAD", _) => Act::text("HTTP/1.1 200 OK\r\n\r\n"),
        ("POST", _) => Act::answer(200, "", "OK"),
        _ => Act::status(404),
    }
}

/// An answer to the announce of this process; `instead` replaces it.
pub(super) fn announced(instead: &str) -> String {
    if !instead.is_empty() {
        return instead.to_owned();
    }
    let pid = std::process::id();
    format!(r#"{{"pid":{pid},"agentUuid":"u","secrets":{{"matcher":"equals","list":["pin"]}}}}"#)
}
