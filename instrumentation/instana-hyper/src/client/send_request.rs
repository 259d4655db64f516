//! The senders of connections: those of HTTP/1 and HTTP/2 differ in their name alone, and
//! one of HTTP/2 can be cloned.

/// The wrapper `SendRequest` of one version, in a module with the name that hyper's has.
macro_rules! send_request {
    ($version:ident) => {
        use std::fmt;
        use std::future::Future;
        use std::sync::Arc;
        use std::task::{Context, Poll};

        use http::{Request, Response, Uri};
        use http_body::Body;
        use hyper::Error;
        use hyper::body::Incoming;
        use hyper::client::conn::{TrySendError, $version};
        use instana::FutureExt;
        use instana_http::{client, record_response};

        use super::answer::record_answer;

        #[doc = concat!(" [`hyper::client::conn::", stringify!($version), "::SendRequest`], whose requests are recorded as")]
        /// exits.
        pub struct SendRequest<B> {
            inner: $version::SendRequest<B>,
            origin: Option<Arc<Uri>>,
        }

        impl<B> SendRequest<B> {
            /// The server of the connection: scheme, host and port for requests that lack them.
            /// It is recorded, not sent. A connection with TLS is recorded as one without, if
            /// neither this nor the request says `https`.
            ///
            /// ```no_run
            /// use hyper::Uri;
            #[doc = concat!(" # type Sender = hyper::client::conn::", stringify!($version), "::SendRequest<String>;")]
            /// # fn f(sender: Sender) {
            #[doc = concat!(" let sender = instana_hyper::client::", stringify!($version), "::SendRequest::from(sender)")]
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

            #[doc = concat!(" As [`hyper::client::conn::", stringify!($version), "::SendRequest::poll_ready`].")]
            pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
                self.inner.poll_ready(cx)
            }

            #[doc = concat!(" As [`hyper::client::conn::", stringify!($version), "::SendRequest::ready`].")]
            ///
            /// # Errors
            /// As hyper's.
            pub async fn ready(&mut self) -> Result<(), Error> {
                self.inner.ready().await
            }

            #[doc = concat!(" As [`hyper::client::conn::", stringify!($version), "::SendRequest::is_ready`].")]
            pub fn is_ready(&self) -> bool {
                self.inner.is_ready()
            }

            #[doc = concat!(" As [`hyper::client::conn::", stringify!($version), "::SendRequest::is_closed`].")]
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            /// The wrapped sender.
            pub fn inner(&self) -> &$version::SendRequest<B> {
                &self.inner
            }

            /// Takes the sender out.
            pub fn into_inner(self) -> $version::SendRequest<B> {
                self.inner
            }
        }

        impl<B: Body + 'static> SendRequest<B> {
            #[doc = concat!(" As [`hyper::client::conn::", stringify!($version), "::SendRequest::send_request`]. The exit ends")]
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

            #[doc = concat!(" As [`hyper::client::conn::", stringify!($version), "::SendRequest::try_send_request`]. A request")]
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

        impl<B> From<$version::SendRequest<B>> for SendRequest<B> {
            fn from(inner: $version::SendRequest<B>) -> Self {
                Self {
                    inner,
                    origin: None,
                }
            }
        }

        impl<B> fmt::Debug for SendRequest<B> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}
pub(super) use send_request;
