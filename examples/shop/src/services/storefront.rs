//! What customers see: axum, reqwest to ask the catalogue and pricing, and a queue
//! for orders where there is one.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use bytes::Bytes;
use instana_axum::InstanaLayer;
use tokio::net::TcpListener;

use crate::queue::Orders;

/// Lines of the streamed answer, and the time between two.
const LINES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(40);

#[derive(Clone)]
struct Storefront {
    client: instana_reqwest::Client,
    pricing: SocketAddr,
    catalogue: SocketAddr,
    orders: Option<Orders>,
}

pub(super) async fn serve(
    listener: TcpListener,
    (pricing, catalogue): (SocketAddr, SocketAddr),
    orders: Option<Orders>,
) -> io::Result<()> {
    let storefront = Storefront {
        client: super::client()?,
        pricing,
        catalogue,
        orders,
    };
    let router = Router::new()
        .route("/", get(|| async { "welcome" }))
        .route("/products/{id}", get(product))
        .route("/offers", get(offers))
        .route("/orders/{id}", post(order))
        .route("/search", get(search))
        .layer(InstanaLayer::new())
        .with_state(storefront);
    axum::serve(listener, router).await
}

type Page = Result<String, (StatusCode, String)>;

/// One call to the catalogue, which asks for the price itself.
async fn product(State(shop): State<Storefront>, Path(id): Path<String>) -> Page {
    fetch(
        &shop,
        format!("http://{}/items/{id}", shop.catalogue),
        "/items/{id}",
    )
    .await
}

/// One call to the catalogue and one to pricing.
async fn search(State(shop): State<Storefront>, RawQuery(query): RawQuery) -> Page {
    let query = query.unwrap_or_default();
    let item = fetch(
        &shop,
        format!("http://{}/items/lamp?{query}", shop.catalogue),
        "/items/{id}",
    )
    .await?;
    let price = fetch(
        &shop,
        format!("http://{}/price/book", shop.pricing),
        "/price/{id}",
    )
    .await?;
    Ok(format!("{item}, {price}"))
}

/// An order for the worker. The customer does not wait for it.
async fn order(State(shop): State<Storefront>, Path(id): Path<String>) -> Page {
    let closed = || {
        let text = "there is no order queue: KAFKA_BROKERS is not set, or Kafka is not built in";
        (StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
    };
    let orders = shop.orders.as_ref().ok_or_else(closed)?;
    let lost = |error| (StatusCode::INTERNAL_SERVER_ERROR, error);
    orders.place(&id).await.map_err(lost)?;
    Ok(format!("{id} is ordered"))
}

/// An answer that takes its time: the span ends with its last line.
async fn offers() -> Body {
    let lines = futures_util::stream::unfold(0, |line| async move {
        tokio::time::sleep(PAUSE).await;
        (line < LINES).then(|| {
            (
                Ok::<_, Infallible>(Bytes::from(format!("offer {line}\n"))),
                line + 1,
            )
        })
    });
    Body::from_stream(lines)
}

async fn fetch(shop: &Storefront, url: String, template: &'static str) -> Page {
    let gateway = |error: reqwest::Error| (StatusCode::BAD_GATEWAY, error.to_string());
    let response = shop
        .client
        .get(url)
        .path_template(template)
        .send()
        .await
        .map_err(gateway)?;
    let status = response.status();
    let text = response.text().await.map_err(gateway)?;
    if status.is_success() {
        Ok(text)
    } else {
        Err((forwarded(status), text))
    }
}

/// Not found stays not found; any other failure of a service behind is a failure of this
/// one.
fn forwarded(status: StatusCode) -> StatusCode {
    if status == StatusCode::NOT_FOUND {
        status
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}
