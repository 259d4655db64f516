//! A proxy before the broker that can be cut off.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Clients talk to it only: where the broker's answers name the broker, they name
/// the proxy instead.
pub(super) struct Proxy {
    address: SocketAddr,
    is_up: watch::Sender<bool>,
    connections: watch::Sender<usize>,
}

impl Proxy {
    pub(super) async fn start(broker: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let broker = tokio::net::lookup_host(broker)
            .await
            .unwrap()
            .next()
            .unwrap();
        let (is_up, state) = watch::channel(true);
        let connections = watch::Sender::new(0);
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (mut state, count) = (state.clone(), count.clone());
                count.send_modify(|count| *count += 1);
                tokio::spawn(async move {
                    tokio::select! {
                        biased;
                        _ = state.wait_for(|is_up| !is_up) => {}
                        () = connect(client, broker, address.port()) => {}
                    }
                    count.send_modify(|count| *count -= 1);
                });
            }
        });
        Self {
            address,
            is_up,
            connections,
        }
    }

    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Closes all connections, and each new one.
    pub(super) async fn cut_off(&self) {
        self.is_up.send_replace(false);
        let mut connections = self.connections.subscribe();
        connections.wait_for(|count| *count == 0).await.unwrap();
    }

    pub(super) fn restore(&self) {
        self.is_up.send_replace(true);
    }
}

async fn connect(client: TcpStream, broker: SocketAddr, port: u16) {
    let Ok(broker_side) = TcpStream::connect(broker).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = broker_side.into_split();
    let answers = async {
        while let Ok(length) = from_broker.read_i32().await {
            let mut answer = vec![0; usize::try_from(length).unwrap()];
            from_broker.read_exact(&mut answer).await?;
            rename(&mut answer, &broker, port);
            to_client.write_i32(length).await?;
            to_client.write_all(&answer).await?;
        }
        Ok::<_, std::io::Error>(())
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_broker) => {}
        _ = answers => {}
    }
}

/// Replaces the port wherever it stands behind the broker's host.
fn rename(answer: &mut [u8], broker: &SocketAddr, port: u16) {
    let mut name = broker.ip().to_string().into_bytes();
    name.extend(i32::from(broker.port()).to_be_bytes());
    let ends: Vec<usize> = answer
        .windows(name.len())
        .enumerate()
        .filter(|(_, window)| *window == name)
        .map(|(at, _)| at + name.len())
        .collect();
    for end in ends {
        answer[end - 4..end].copy_from_slice(&i32::from(port).to_be_bytes());
    }
}
