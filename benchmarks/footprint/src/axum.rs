//! A service with one route.

use std::io;

use axum::Router;
use axum::routing::get;

pub(crate) fn run() -> io::Result<()> {
    let router = Router::new().route("/products/{id}", get(async || "a product"));
    #[cfg(feature = "axum-traced")]
    let router = router.layer(instana_axum::InstanaLayer::new());
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        axum::serve(listener, router).await
    })
}
