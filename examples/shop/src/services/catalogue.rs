//! What there is to buy: axum, and reqwest to ask for prices.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use instana_axum::InstanaLayer;
use tokio::net::TcpListener;

const GOODS: [(&str, &str); 6] = [
    ("book", "A book about rust"),
    ("lamp", "A lamp"),
    ("slow", "A clock that is slow"),
    ("heavy", "An anvil"),
    ("broken", "A mug without a price"),
    ("endless", "A story without an end"),
];

#[derive(Clone)]
struct Catalogue {
    client: instana_reqwest::Client,
    pricing: SocketAddr,
}

pub(super) async fn serve(listener: TcpListener, pricing: SocketAddr) -> io::Result<()> {
    let catalogue = Catalogue {
        client: super::client()?,
        pricing,
    };
    let items = Router::new().route("/{id}", get(item));
    let router = Router::new()
        .nest("/items", items)
        .layer(InstanaLayer::new())
        .with_state(catalogue);
    axum::serve(listener, router).await
}

async fn item(
    State(catalogue): State<Catalogue>,
    Path(id): Path<String>,
) -> Result<String, (StatusCode, &'static str)> {
    let (_, name) = GOODS
        .into_iter()
        .find(|(known, _)| *known == id)
        .ok_or((StatusCode::NOT_FOUND, "no such item"))?;
    let unreachable = |_| (StatusCode::BAD_GATEWAY, "pricing cannot be reached");
    let response = catalogue
        .client
        .get(format!("http://{}/price/{id}", catalogue.pricing))
        .path_template("/price/{id}")
        .send()
        .await
        .map_err(unreachable)?;
    if !response.status().is_success() {
        return Err((StatusCode::BAD_GATEWAY, "there is no price"));
    }
    let cents = response.text().await.map_err(unreachable)?;
    Ok(format!("{name}: {cents} cents"))
}
