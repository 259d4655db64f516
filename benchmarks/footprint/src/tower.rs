//! A service behind a layer.

use std::convert::Infallible;
use std::io;

use http::{Request, Response};
use http_body_util::Empty;
use tower::{ServiceBuilder, ServiceExt, service_fn};

type Body = Empty<&'static [u8]>;

pub(crate) fn run() -> io::Result<()> {
    let builder = ServiceBuilder::new();
    #[cfg(feature = "tower-traced")]
    let builder = builder.layer(instana_tower::InstanaServerLayer::new());
    let service = builder.service(service_fn(async |_: Request<Body>| {
        Ok::<_, Infallible>(Response::new(Body::new()))
    }));
    tokio::runtime::Runtime::new()?.block_on(async {
        let Ok(response) = service.oneshot(Request::new(Body::new())).await;
        println!("{}", response.status());
    });
    Ok(())
}
