//! An untraced server that answers with the headers it got, for HTTP/1.1 and
//! HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::thread;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Map, Value};

/// Starts it on a thread of its own, for the rest of the process.
pub(crate) fn start() -> SocketAddr {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(("127.0.0.1", 0)))
        .unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        runtime.block_on(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let _ = builder
                        .serve_connection(TokioIo::new(stream), service_fn(echo))
                        .await;
                });
            }
        });
    });
    address
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let value = value.to_str().unwrap_or_default();
        let entry = headers.entry(name.as_str()).or_insert(Value::Null);
        // A header that came twice is seen as both.
        *entry = match entry.as_str() {
            None => value.into(),
            Some(before) => format!("{before}, {value}").into(),
        };
    }
    let mut response = Response::new(Full::new(Value::Object(headers).to_string().into()));
    response.headers_mut().insert(
        "x-response-header-downstream-to-app",
        HeaderValue::from_static("Value 3"),
    );
    Ok(response)
}
