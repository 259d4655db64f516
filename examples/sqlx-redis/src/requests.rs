//! In a service, requests come in by HTTP, and the layer of the web framework makes
//! an entry of each (`instana-axum`, one line). Here, they are a list.

use std::fmt;

use instana::FutureExt;

use crate::{Outcome, say};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Request {
    Stock(&'static str),
    Order(&'static str, i64),
}

const REQUESTS: [Request; 6] = [
    Request::Stock("tea"),
    Request::Stock("tea"),
    Request::Order("tea", 2),
    Request::Stock("tea"),
    Request::Order("milk", 1000),
    Request::Stock("coffee"),
];

/// Handles each request inside an entry, and prints its answer.
pub(crate) async fn serve(mut handle: impl AsyncFnMut(Request) -> Outcome<String>) -> Outcome<()> {
    for request in REQUESTS {
        let entry = instana::entry_span(request.name());
        let answer = handle(request).in_span(entry).await?;
        say(&format!("{:<18}{answer}", request.to_string()))?;
    }
    Ok(())
}

impl Request {
    fn name(self) -> &'static str {
        match self {
            Self::Stock(_) => "stock",
            Self::Order(..) => "order",
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stock(name) => write!(f, "stock of {name}"),
            Self::Order(name, pieces) => write!(f, "order {pieces} {name}"),
        }
    }
}
