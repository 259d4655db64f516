//! The three services, each a process of its own.

mod catalogue;
mod pricing;
mod storefront;

use std::io::{self, Write};
use std::net::SocketAddr;

use instana_tokio::RuntimeMetrics;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

/// The services in the order in which they have to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Pricing,
    Catalogue,
    Storefront,
}

impl Service {
    pub(crate) const ALL: [Self; 3] = [Self::Pricing, Self::Catalogue, Self::Storefront];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Pricing => "pricing",
            Self::Storefront => "storefront",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// Runs a service until its standard input is closed. `others` are the addresses
/// of the services started before it.
pub(crate) fn run(service: Service, others: &[SocketAddr]) -> io::Result<()> {
    // The two lines every service needs: this one, and the layer of its router.
    let _guard = instana::builder()
        .service(service.name())
        .poll_timing(true)
        .init()
        .map_err(io::Error::other)?;

    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(async {
            RuntimeMetrics::new(&Handle::current()).register();
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            announce(&listener)?;
            let address = |n: usize| {
                others
                    .get(n)
                    .copied()
                    .ok_or_else(|| io::Error::other("addresses are missing"))
            };
            match service {
                Service::Pricing => until_closed(pricing::serve(listener)).await,
                Service::Catalogue => until_closed(catalogue::serve(listener, address(0)?)).await,
                Service::Storefront => {
                    until_closed(storefront::serve(listener, address(0)?, address(1)?)).await
                }
            }
        })
}

/// A client for the other services, which no proxy would find.
fn client() -> io::Result<instana_reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(io::Error::other)?;
    Ok(client.into())
}

/// Tells the parent process where the service listens.
fn announce(listener: &TcpListener) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()
}

/// Serves until the parent process closes our standard input, or is gone.
async fn until_closed(server: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    let mut stdin = tokio::io::stdin();
    let mut byte = [0];
    let closed = async { while stdin.read(&mut byte).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        result = server => result,
        () = closed => Ok(()),
    }
}
