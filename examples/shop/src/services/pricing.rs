//! What goods cost: hyper without a framework.

use std::borrow::Cow;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use instana_hyper::server::{RequestHead, Traced};
use tokio::net::TcpListener;

/// How long the slow offer takes.
const SLOW: Duration = Duration::from_millis(350);
/// How long the heavy one is weighed.
const HEAVY: Duration = Duration::from_millis(250);

pub(super) async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let service = Traced::new(service_fn(price)).route(template);
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            // A client that goes away is its own business.
            let _ = connection.await;
        });
    }
}

/// hyper knows no routes: templates are the service's own.
fn template(head: RequestHead<'_>) -> Option<Cow<'_, str>> {
    head.uri
        .path()
        .starts_with("/price/")
        .then_some("/price/{id}".into())
}

async fn price(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some(id) = request.uri().path().strip_prefix("/price/") else {
        return Ok(answer(StatusCode::NOT_FOUND, "no such page"));
    };
    // An own span around work that no library does.
    let cents = instana::span("calculate price").enter(|| {
        instana::current(|span| span.tag("rules", 3));
        id.bytes().map(u64::from).sum::<u64>() * 7
    });
    Ok(match id {
        "broken" => {
            instana::current(|entry| entry.error("no price rule for \"broken\""));
            answer(StatusCode::INTERNAL_SERVER_ERROR, "no price rule")
        }
        "endless" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            answer(StatusCode::OK, "0")
        }
        "heavy" => {
            // A mistake, on purpose: it blocks a thread of the runtime. Poll timing shows
            // it.
            std::thread::sleep(HEAVY);
            answer(StatusCode::OK, &cents.to_string())
        }
        "slow" => {
            tokio::time::sleep(SLOW).await;
            answer(StatusCode::OK, &cents.to_string())
        }
        _ => answer(StatusCode::OK, &cents.to_string()),
    })
}

fn answer(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response
}
