//! What customers do: a mixed load, from a client that is not traced.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Outcome, environment};

/// A kind of request, and what it leaves.
struct Visit {
    path: &'static str,
    times: usize,
    /// Spans of one such trace in all services, without the spans for the goods.
    spans: usize,
    /// What is looked up in the goods.
    goods: Option<Item>,
    /// The customer goes away after this time.
    patience: Option<Duration>,
}

#[derive(Clone, Copy)]
enum Item {
    Known(&'static str),
    Unknown,
}

const VISITS: [Visit; 9] = [
    Visit {
        path: "/",
        times: 2,
        spans: 1,
        goods: None,
        patience: None,
    },
    Visit {
        path: "/products/book",
        times: 4,
        spans: 6,
        goods: Some(Item::Known("book")),
        patience: None,
    },
    Visit {
        path: "/products/nothing",
        times: 2,
        spans: 3,
        goods: Some(Item::Unknown),
        patience: None,
    },
    Visit {
        path: "/products/slow",
        times: 1,
        spans: 6,
        goods: Some(Item::Known("slow")),
        patience: None,
    },
    Visit {
        path: "/products/heavy",
        times: 1,
        spans: 6,
        goods: Some(Item::Known("heavy")),
        patience: None,
    },
    Visit {
        path: "/products/endless",
        times: 1,
        spans: 6,
        goods: Some(Item::Known("endless")),
        patience: Some(Duration::from_millis(300)),
    },
    Visit {
        path: "/offers",
        times: 1,
        spans: 1,
        goods: None,
        patience: None,
    },
    Visit {
        path: "/search?q=lamp&api_key=not-for-everyone",
        times: 3,
        spans: 9,
        goods: Some(Item::Known("lamp")),
        patience: None,
    },
    Visit {
        path: "/products/broken",
        times: 1,
        spans: 6,
        goods: Some(Item::Known("broken")),
        patience: None,
    },
];

const ORDERS: [&str; 3] = ["book", "lamp", "book"];

/// The request, the record that is sent and consumed, and pricing's part.
const SPANS_OF_ORDER: usize = 6;

/// What the load leaves when all of it has arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Expected {
    pub(crate) traces: usize,
    pub(crate) spans: usize,
}

/// What the catalogue finds in its cache, if it has one.
struct Lookups(Option<HashSet<&'static str>>);

impl Lookups {
    fn new() -> Self {
        Self(environment::redis().map(|_| HashSet::new()))
    }

    /// Exits of the catalogue's next look at this item.
    fn spans(&mut self, item: Item) -> usize {
        match (&mut self.0, item) {
            // A statement.
            (None, _) => 1,
            // The cache, and a statement that finds nothing.
            (Some(_), Item::Unknown) => 2,
            // The cache, the statement, the cache again; from then on the first alone.
            (Some(cached), Item::Known(id)) => {
                if cached.insert(id) {
                    3
                } else {
                    1
                }
            }
        }
    }
}

/// Sends every visit, one after the other, and orders where there is a queue.
pub(crate) async fn send(storefront: SocketAddr, queue: bool) -> Outcome<Expected> {
    // A proxy would not find the loopback.
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut expected = Expected::default();
    let mut lookups = Lookups::new();
    for visit in &VISITS {
        for _ in 0..visit.times {
            let url = format!("http://{storefront}{}", visit.path);
            let page = async { client.get(url).send().await?.bytes().await };
            match visit.patience {
                None => drop(page.await?),
                // Dropped at the timeout, which closes the connection.
                Some(patience) => drop(tokio::time::timeout(patience, page).await),
            }
            expected.traces += 1;
            expected.spans += visit.spans;
            expected.spans += visit.goods.map_or(0, |item| lookups.spans(item));
        }
    }
    if queue {
        for item in ORDERS {
            let url = format!("http://{storefront}/orders/{item}");
            client.post(url).send().await?.error_for_status()?;
            expected.traces += 1;
            expected.spans += SPANS_OF_ORDER;
        }
    }
    Ok(expected)
}
