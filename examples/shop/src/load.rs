//! What customers do: a mixed load, from a client that is not traced.

use std::net::SocketAddr;
use std::time::Duration;

use crate::Outcome;

/// A kind of request, and what it leaves.
struct Visit {
    path: &'static str,
    times: usize,
    /// Spans of one such trace, over all services.
    spans: usize,
    /// The customer goes away after this time.
    patience: Option<Duration>,
}

const VISITS: [Visit; 9] = [
    Visit {
        path: "/",
        times: 2,
        spans: 1,
        patience: None,
    },
    Visit {
        path: "/products/book",
        times: 4,
        spans: 6,
        patience: None,
    },
    Visit {
        path: "/products/nothing",
        times: 2,
        spans: 3,
        patience: None,
    },
    Visit {
        path: "/products/slow",
        times: 1,
        spans: 6,
        patience: None,
    },
    Visit {
        path: "/products/heavy",
        times: 1,
        spans: 6,
        patience: None,
    },
    Visit {
        path: "/products/endless",
        times: 1,
        spans: 6,
        patience: Some(Duration::from_millis(150)),
    },
    Visit {
        path: "/offers",
        times: 1,
        spans: 1,
        patience: None,
    },
    Visit {
        path: "/search?q=lamp&api_key=4711",
        times: 3,
        spans: 9,
        patience: None,
    },
    Visit {
        path: "/products/broken",
        times: 1,
        spans: 6,
        patience: None,
    },
];

/// What the load leaves when all of it has arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) traces: usize,
    pub(crate) spans: usize,
}

/// Sends every visit, one after the other.
pub(crate) async fn send(storefront: SocketAddr) -> Outcome<Expected> {
    // A proxy would not find the loopback.
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut expected = Expected::default();
    for visit in &VISITS {
        for _ in 0..visit.times {
            let url = format!("http://{storefront}{}", visit.path);
            let page = async { client.get(url).send().await?.bytes().await };
            match visit.patience {
                None => drop(page.await?),
                // Dropped when the time is over: the connection is closed.
                Some(patience) => drop(tokio::time::timeout(patience, page).await),
            }
            expected.traces += 1;
            expected.spans += visit.spans;
        }
    }
    Ok(expected)
}
