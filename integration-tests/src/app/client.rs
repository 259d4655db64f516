//! The call to the downstream, with either client.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use instana_hyper::client::{http1, http2};
use tokio::net::TcpStream;

use crate::options::{Library, Setup};

const HEADER: (&str, &str) = ("x-request-header-app-to-downstream", "Value 2");

pub(crate) struct Client {
    setup: Setup,
    reqwest: instana_reqwest::Client,
}

impl Client {
    pub(crate) fn new(setup: Setup) -> Self {
        // A proxy would not find the loopback.
        let builder = reqwest::Client::builder().no_proxy();
        let builder = if setup.http2 {
            builder.http2_prior_knowledge()
        } else {
            builder
        };
        let reqwest = builder
            .build()
            .map(instana_reqwest::Client::from)
            .unwrap_or_default();
        Self { setup, reqwest }
    }

    /// Calls the downstream; its answer's body.
    pub(crate) async fn call(&self, query: Option<&str>) -> Result<Bytes, String> {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = format!("http://{}/downstream{query}", self.setup.downstream);
        match self.setup.client {
            Library::Reqwest => self
                .with_reqwest(url)
                .await
                .map_err(|error| error.to_string()),
            Library::Axum | Library::Hyper => self
                .with_hyper(url)
                .await
                .map_err(|error| error.to_string()),
        }
    }

    async fn with_reqwest(&self, url: String) -> Result<Bytes, reqwest::Error> {
        self.reqwest
            .get(url)
            .header(HEADER.0, HEADER.1)
            .send()
            .await?
            .bytes()
            .await
    }

    /// One connection a call: HTTP/1.1 wants the path, HTTP/2 the whole URI.
    async fn with_hyper(
        &self,
        url: String,
    ) -> Result<Bytes, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TokioIo::new(TcpStream::connect(self.setup.downstream).await?);
        let request = Request::get(url)
            .header("host", self.setup.downstream.to_string())
            .header(HEADER.0, HEADER.1)
            .body(Empty::<Bytes>::new())?;
        let response = if self.setup.http2 {
            let (sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            http2::SendRequest::from(sender)
                .send_request(request)
                .await?
        } else {
            let (sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
            tokio::spawn(connection);
            http1::SendRequest::from(sender)
                .send_request(request)
                .await?
        };
        Ok(response.into_body().collect().await?.to_bytes())
    }
}
