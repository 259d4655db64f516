//! A way to a server that can be cut.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// Forwards connections to a server, until it resets them.
pub(super) struct Proxy {
    address: SocketAddr,
    seen: Arc<Notify>,
    cut: watch::Sender<()>,
}

impl Proxy {
    /// One that notes when `mark` is sent to the server.
    pub(super) async fn start(server: String, mark: &'static [u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, cut) = (Arc::new(Notify::new()), watch::Sender::new(()));
        let (notify, receiver) = (seen.clone(), cut.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(forward(
                    client,
                    server,
                    mark,
                    notify.clone(),
                    receiver.clone(),
                ));
            }
        });
        Self { address, seen, cut }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Resets all connections, when the mark was sent.
    pub(super) async fn cut(&self) {
        self.seen.notified().await;
        self.cut.send(()).unwrap();
    }
}

async fn forward(
    client: TcpStream,
    server: TcpStream,
    mark: &'static [u8],
    seen: Arc<Notify>,
    mut cut: watch::Receiver<()>,
) {
    client.set_zero_linger().unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut sent = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = from_client.read(&mut buffer).await {
            sent.extend_from_slice(&buffer[..len]);
            if to_server.write_all(&buffer[..len]).await.is_err() {
                break;
            }
            if sent.windows(mark.len()).any(|part| part == mark) {
                seen.notify_one();
            }
        }
    };
    cut.mark_unchanged();
    tokio::select! {
        () = up => {}
        _ = copy(&mut from_server, &mut to_client) => {}
        _ = cut.changed() => {}
    }
}
