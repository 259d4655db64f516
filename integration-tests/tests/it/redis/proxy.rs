//! A way to the server that can be cut.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes on what comes to [`Proxy::address`] until it is [cut](Proxy::cut).
pub(super) struct Proxy {
    address: String,
    open: Arc<Open>,
}

struct Open {
    sockets: Mutex<Vec<TcpStream>>,
    refuses: AtomicBool,
    server: String,
}

impl Proxy {
    /// To a server.
    pub(super) fn new(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open = Arc::new(Open {
            sockets: Mutex::default(),
            refuses: AtomicBool::new(false),
            server: server.to_owned(),
        });
        let accepting = open.clone();
        // Ends with the process.
        thread::spawn(move || {
            for socket in listener.incoming() {
                let _ = accepting.pass_on(socket.unwrap());
            }
        });
        Self { address, open }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Closes all connections.
    pub(super) fn cut(&self) {
        for socket in self.open.sockets.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Closes all connections, and those that come until it is [back](Self::back).
    pub(super) fn go(&self) {
        self.open.refuses.store(true, Ordering::SeqCst);
        self.cut();
    }

    pub(super) fn back(&self) {
        self.open.refuses.store(false, Ordering::SeqCst);
    }
}

impl Open {
    fn pass_on(&self, client: TcpStream) -> io::Result<()> {
        let mut sockets = self.sockets.lock().unwrap();
        if self.refuses.load(Ordering::SeqCst) {
            return client.shutdown(Shutdown::Both);
        }
        let server = TcpStream::connect(&self.server)?;
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        sockets.extend([client, server]);
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.go();
    }
}
