//! The client.

use std::future::Future;
use std::task::{Context, Poll};

use instana::{FutureExt, InSpan, Span};
use reqwest::{Error, IntoUrl, Method, Request, Response};
use tower_service::Service;

use crate::send;
use crate::{ClientBuilder, RequestBuilder};

/// [`reqwest::Client`], whose requests are recorded as exits.
#[derive(Clone, Debug, Default)]
pub struct Client {
    inner: reqwest::Client,
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => {
        $(
            #[doc = concat!("As [`reqwest::Client::", stringify!($name), "`].")]
            pub fn $name<U: IntoUrl>(&self, url: U) -> RequestBuilder {
                self.request(Method::$method, url)
            }
        )*
    };
}

impl Client {
    /// As [`reqwest::Client::new`].
    ///
    /// # Panics
    /// As reqwest's, where TLS or the resolver cannot be set up.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`reqwest::Client::builder`], for a client of this kind.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # fn f() -> Result<(), reqwest::Error> {
    /// let client = instana_reqwest::Client::builder()
    ///     .timeout(Duration::from_secs(5))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    methods! {
        get GET
        post POST
        put PUT
        patch PATCH
        delete DELETE
        head HEAD
    }

    /// As [`reqwest::Client::request`].
    pub fn request<U: IntoUrl>(&self, method: Method, url: U) -> RequestBuilder {
        RequestBuilder::from(self.inner.request(method, url))
    }

    /// As [`reqwest::Client::execute`].
    #[track_caller]
    pub fn execute(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, Error>> + Unpin + use<> {
        send::execute(&self.inner, request, None)
    }

    /// The wrapped client.
    pub fn inner(&self) -> &reqwest::Client {
        &self.inner
    }

    /// Takes the client out.
    pub fn into_inner(self) -> reqwest::Client {
        self.inner
    }
}

impl From<reqwest::Client> for Client {
    fn from(inner: reqwest::Client) -> Self {
        Self { inner }
    }
}

/// As [`reqwest::get`].
///
/// # Errors
/// As reqwest's.
pub async fn get<U: IntoUrl>(url: U) -> Result<Response, Error> {
    let client = Client::from(reqwest::Client::builder().build()?);
    client.get(url).send().await
}

type Sent = <reqwest::Client as Service<Request>>::Future;

macro_rules! service {
    ($($client:ty)*) => {
        $(impl Service<Request> for $client {
            type Response = Response;
            type Error = Error;
            type Future = InSpan<Sent, fn(&mut Span, &Result<Response, Error>)>;

            fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
                (&self.inner).poll_ready(cx)
            }

            fn call(&mut self, mut request: Request) -> Self::Future {
                let mut span = send::exit(&mut request, None);
                let future = span.enter(|| (&self.inner).call(request));
                future.in_span_with(span, send::answered)
            }
        })*
    };
}

service! { Client &Client }
