//! Connections of HTTP/2.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, Uri};
use http_body::Body;
use hyper::Error;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use instana::FutureExt;
use instana_http::{client, record_response};

use super::answer::record_answer;

/// [`hyper::client::conn::http2::SendRequest`], whose requests are recorded as
/// exits.
pub struct SendRequest<B> {
    inner: http2::SendRequest<B>,
    origin: Option<Arc<Uri>>,
}

impl<B> SendRequest<B> {
    /// Where the connection leads to: scheme, host and port of requests that do not
    /// say them. It is recorded, not sent. A connection with TLS is recorded as one
    /// without where neither this nor the request says `https`.
    ///
    /// ```no_run
    /// use hyper::Uri;
    /// # type Sender = hyper::client::conn::http2::SendRequest<String>;
    /// # fn f(sender: Sender) {
    /// let sender = instana_hyper::client::http2::SendRequest::from(sender)
    ///     .origin(Uri::from_static("https://stock:8443"));
    /// # }
    /// ```
    #[must_use]
    pub fn origin(self, origin: Uri) -> Self {
        Self {
            inner: self.inner,
            origin: Some(Arc::new(origin)),
        }
    }

    /// As [`hyper::client::conn::http2::SendRequest::poll_ready`].
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    /// As [`hyper::client::conn::http2::SendRequest::ready`].
    ///
    /// # Errors
    /// As hyper's.
    pub async fn ready(&mut self) -> Result<(), Error> {
        self.inner.ready().await
    }

    /// As [`hyper::client::conn::http2::SendRequest::is_ready`].
    pub fn is_ready(&self) -> bool {
        self.inner.is_ready()
    }

    /// As [`hyper::client::conn::http2::SendRequest::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// The wrapped sender.
    pub fn inner(&self) -> &http2::SendRequest<B> {
        &self.inner
    }

    /// Takes the sender out.
    pub fn into_inner(self) -> http2::SendRequest<B> {
        self.inner
    }
}

impl<B: Body + 'static> SendRequest<B> {
    /// As [`hyper::client::conn::http2::SendRequest::send_request`]. The exit ends
    /// with the head of the response.
    #[track_caller]
    pub fn send_request(
        &mut self,
        mut request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, Error>> + use<B> {
        let mut span = client::exit_to(&mut request, self.origin.as_deref());
        let future = span.enter(|| self.inner.send_request(request));
        future.in_span_with(span, record_answer)
    }

    /// As [`hyper::client::conn::http2::SendRequest::try_send_request`]. A request
    /// that comes back is an exit with an error, too.
    #[track_caller]
    pub fn try_send_request(
        &mut self,
        mut request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<B>>>> + use<B> {
        let mut span = client::exit_to(&mut request, self.origin.as_deref());
        let future = span.enter(|| self.inner.try_send_request(request));
        future.in_span_with(span, |span, result| match result {
            Ok(response) => record_response(span, response.status(), response.headers()),
            Err(error) => span.record_error(error.error()),
        })
    }
}

impl<B> From<http2::SendRequest<B>> for SendRequest<B> {
    fn from(inner: http2::SendRequest<B>) -> Self {
        Self {
            inner,
            origin: None,
        }
    }
}

impl<B> Clone for SendRequest<B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            origin: self.origin.clone(),
        }
    }
}

impl<B> fmt::Debug for SendRequest<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
