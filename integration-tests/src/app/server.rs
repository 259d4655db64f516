//! `/start` calls the downstream and returns what the downstream received. axum has
//! `/graphql`, too.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use instana_axum::InstanaLayer;
use tokio::net::TcpListener;

use crate::client::Client;
use crate::options::{Library, Setup};

pub(crate) async fn serve(listener: TcpListener, setup: Setup) {
    let library = setup.server;
    let client = Arc::new(Client::new(setup));
    if library == Library::Axum {
        let router = Router::new()
            .route("/start", get(start))
            .with_state(client)
            .merge(crate::graphql::routes())
            .layer(InstanaLayer::new());
        // `axum::serve` never ends.
        let _ = axum::serve(listener, router).await;
        return;
    }
    while let Ok((stream, _)) = listener.accept().await {
        let client = client.clone();
        let service =
            instana_hyper::server::Traced::new(service_fn(move |request: http::Request<_>| {
                let client = client.clone();
                async move {
                    let query = request.uri().query().map(str::to_owned);
                    Ok::<_, Infallible>(answer(client.call(query.as_deref()).await))
                }
            }));
        tokio::spawn(async move {
            let builder = auto::Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn start(State(client): State<Arc<Client>>, request: Request) -> Response<Full<Bytes>> {
    let query = request.uri().query().map(str::to_owned);
    answer(client.call(query.as_deref()).await)
}

fn answer(called: Result<Bytes, String>) -> Response<Full<Bytes>> {
    let (status, body) = match called {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (StatusCode::BAD_GATEWAY, error.into()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let value = HeaderValue::from_static("Value 4");
    response
        .headers_mut()
        .insert("x-response-header-app-to-test", value);
    response
}
