//! The pooled client of hyper-util.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::task::{Context, Poll};

use http::{Request, Response, Uri};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::{self, Error, ResponseFuture};
use instana::{FutureExt, InSpan, Span};
use instana_http::client;
use tower_service::Service;

use super::answer::record_answer;

/// [`hyper_util::client::legacy::Client`], whose requests are recorded as exits.
pub struct Client<C, B> {
    inner: legacy::Client<C, B>,
}

impl<C, B> Client<C, B> {
    /// The wrapped client.
    pub fn inner(&self) -> &legacy::Client<C, B> {
        &self.inner
    }

    /// Takes the client out.
    pub fn into_inner(self) -> legacy::Client<C, B> {
        self.inner
    }
}

impl<C, B> Client<C, B>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: Body + Send + 'static + Unpin,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    /// As [`hyper_util::client::legacy::Client::get`].
    #[track_caller]
    pub fn get(
        &self,
        uri: Uri,
    ) -> impl Future<Output = Result<Response<Incoming>, Error>> + Unpin + use<C, B>
    where
        B: Default,
    {
        let mut request = Request::new(B::default());
        *request.uri_mut() = uri;
        self.request(request)
    }

    /// As [`hyper_util::client::legacy::Client::request`].
    #[track_caller]
    pub fn request(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, Error>> + Unpin + use<C, B> {
        self.send(request)
    }

    #[track_caller]
    fn send(&self, mut request: Request<B>) -> Sent {
        let mut span = client::exit(&mut request);
        let future = span.enter(|| self.inner.request(request));
        future.in_span_with(span, record_answer)
    }
}

type Sent = InSpan<ResponseFuture, fn(&mut Span, &Result<Response<Incoming>, Error>)>;

macro_rules! service {
    ($($client:ty)*) => {
        $(impl<C, B> Service<Request<B>> for $client
        where
            C: Connect + Clone + Send + Sync + 'static,
            B: Body + Send + 'static + Unpin,
            B::Data: Send,
            B::Error: Into<Box<dyn StdError + Send + Sync>>,
        {
            type Response = Response<Incoming>;
            type Error = Error;
            type Future = Sent;

            fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
                (&self.inner).poll_ready(cx)
            }

            fn call(&mut self, request: Request<B>) -> Self::Future {
                self.send(request)
            }
        })*
    };
}

service! { Client<C, B> &Client<C, B> }

impl<C, B> From<legacy::Client<C, B>> for Client<C, B> {
    fn from(inner: legacy::Client<C, B>) -> Self {
        Self { inner }
    }
}

impl<C: Clone, B> Clone for Client<C, B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

impl<C, B> fmt::Debug for Client<C, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
