//! The services, each a process of its own.

mod catalogue;
mod goods;
mod pricing;
mod storefront;
mod worker;

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;

use instana_tokio::RuntimeMetrics;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::Outcome;
use crate::queue::Orders;

use self::goods::Goods;

/// What a service says that runs and does not listen.
pub(crate) const READY: &str = "ready";

/// The services in the order in which they have to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Pricing,
    Catalogue,
    /// Only where there is a queue.
    Worker,
    Storefront,
}

impl Service {
    pub(crate) const ALL: [Self; 4] = [
        Self::Pricing,
        Self::Catalogue,
        Self::Worker,
        Self::Storefront,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Pricing => "pricing",
            Self::Storefront => "storefront",
            Self::Worker => "worker",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// Runs a service until its standard input is closed. `others` are the addresses
/// of pricing and the catalogue, `topic` is the queue's.
pub(crate) fn run(service: Service, others: &[SocketAddr], topic: Option<&str>) -> Outcome<()> {
    // The two lines every service needs: this one, and the layer of its router.
    let _guard = instana::builder()
        .service(service.name())
        .poll_timing(true)
        .init()?;

    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(async {
            RuntimeMetrics::new(&Handle::current()).register();
            let address = |n: usize| {
                others
                    .get(n)
                    .copied()
                    .ok_or_else(|| io::Error::other("addresses are missing"))
            };
            match service {
                Service::Pricing => until_closed(pricing::serve(listen().await?)).await,
                Service::Catalogue => {
                    let goods = Goods::open().await?;
                    let listener = listen().await?;
                    until_closed(catalogue::serve(listener, goods, address(0)?)).await
                }
                Service::Worker => {
                    announce(READY)?;
                    until_closed(worker::serve(topic, address(0)?)).await
                }
                Service::Storefront => {
                    let orders = Orders::open(topic)?;
                    let others = (address(0)?, address(1)?);
                    let listener = listen().await?;
                    until_closed(storefront::serve(listener, others, orders)).await
                }
            }
        })
}

/// Where the goods are.
pub(crate) fn goods() -> &'static str {
    goods::place()
}

/// A client for the other services, which no proxy would find.
fn client() -> io::Result<instana_reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(io::Error::other)?;
    Ok(client.into())
}

/// Listens on a free port and prints it for the parent process.
async fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    announce(&listener.local_addr()?.to_string())?;
    Ok(listener)
}

fn announce(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Serves until the parent process closes our standard input, or is gone.
async fn until_closed<E>(server: impl Future<Output = Result<(), E>>) -> Outcome<()>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let mut stdin = tokio::io::stdin();
    let mut byte = [0];
    let closed = async { while stdin.read(&mut byte).await.is_ok_and(|read| read > 0) {} };
    tokio::select! {
        result = server => result.map_err(Into::into),
        () = closed => Ok(()),
    }
}
