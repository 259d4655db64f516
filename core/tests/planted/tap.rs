//! Listens to what goes to the agent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes connections on to an agent, and keeps every byte of the tracer's.
pub(crate) struct Tap {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    pub(crate) fn start(agent: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        thread::spawn(move || {
            for tracer in listener.incoming().flatten() {
                let Ok(agent) = TcpStream::connect(agent) else {
                    return;
                };
                let (to, from) = (agent.try_clone().unwrap(), tracer.try_clone().unwrap());
                let ear = Arc::clone(&ear);
                thread::spawn(move || pass(from, to, |bytes| ear.lock().unwrap().extend(bytes)));
                thread::spawn(move || pass(agent, tracer, |_| {}));
            }
        });
        Self { address, heard }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// What the tracer has sent.
    pub(crate) fn bytes(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned();
        if text.contains(".discovery") {
            text.push_str(" announced");
        }
        text
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, heard: impl Fn(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        heard(bytes);
        if to.write_all(bytes).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
