//! The builder of a request.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Version};
use instana_http::client::PathTemplate;
use reqwest::{Body, Error, Request, Response};

use crate::Client;
use crate::send;

/// [`reqwest::RequestBuilder`], whose request is recorded as an exit.
#[must_use = "RequestBuilder does nothing until you 'send' it"]
pub struct RequestBuilder {
    inner: reqwest::RequestBuilder,
    template: Option<PathTemplate>,
}

// The URL and the headers may hold secrets.
impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

/// Methods of reqwest's builder that return it.
macro_rules! forward {
    ($(
        $(#[$meta:meta])*
        fn $name:ident $(<$($generic:ident),+>)? ($($arg:ident: $type:ty),*) $(where { $($bounds:tt)+ })?;
    )+) => {
        $(
            #[doc = concat!("As [`reqwest::RequestBuilder::", stringify!($name), "`].")]
            $(#[$meta])*
            pub fn $name $(<$($generic),+>)? (self, $($arg: $type),*) -> Self
            $(where $($bounds)+)?
            {
                Self {
                    inner: self.inner.$name($($arg),*),
                    template: self.template,
                }
            }
        )+
    };
}

impl RequestBuilder {
    forward! {
        fn header<K, V>(key: K, value: V) where {
            HeaderName: TryFrom<K>,
            <HeaderName as TryFrom<K>>::Error: Into<http::Error>,
            HeaderValue: TryFrom<V>,
            <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
        };
        fn headers(headers: HeaderMap);
        fn basic_auth<U, P>(username: U, password: Option<P>) where { U: fmt::Display, P: fmt::Display };
        fn bearer_auth<T>(token: T) where { T: fmt::Display };
        fn body<T>(body: T) where { T: Into<Body> };
        fn timeout(timeout: Duration);
        fn version(version: Version);
        #[cfg(feature = "multipart")]
        fn multipart(multipart: reqwest::multipart::Form);
        #[cfg(feature = "query")]
        fn query<T>(query: &T) where { T: serde::Serialize + ?Sized };
        #[cfg(feature = "form")]
        fn form<T>(form: &T) where { T: serde::Serialize + ?Sized };
        #[cfg(feature = "json")]
        fn json<T>(json: &T) where { T: serde::Serialize + ?Sized };
    }

    /// The template of the request's path, such as `/users/{id}`, so that calls
    /// to one route are seen as one. It is recorded, not sent.
    pub fn path_template(self, template: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self {
            inner: self.inner,
            template: Some(PathTemplate::new(template)),
        }
    }

    /// As [`reqwest::RequestBuilder::from_parts`].
    pub fn from_parts(client: Client, request: Request) -> Self {
        Self::from(reqwest::RequestBuilder::from_parts(
            client.into_inner(),
            request,
        ))
    }

    /// As [`reqwest::RequestBuilder::build`]. The path's template is lost.
    ///
    /// # Errors
    /// As reqwest's.
    pub fn build(self) -> Result<Request, Error> {
        self.inner.build()
    }

    /// As [`reqwest::RequestBuilder::build_split`]. The path's template is lost.
    pub fn build_split(self) -> (Client, Result<Request, Error>) {
        let (client, request) = self.inner.build_split();
        (Client::from(client), request)
    }

    /// As [`reqwest::RequestBuilder::send`]. The exit ends with the head of the
    /// response.
    #[track_caller]
    pub fn send(self) -> impl Future<Output = Result<Response, Error>> + Unpin + use<> {
        let (client, request) = self.inner.build_split();
        send::send(&client, request, self.template.as_ref())
    }

    /// As [`reqwest::RequestBuilder::try_clone`].
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self {
            inner: self.inner.try_clone()?,
            template: self.template.clone(),
        })
    }

    /// The wrapped builder.
    pub fn inner(&self) -> &reqwest::RequestBuilder {
        &self.inner
    }

    /// Takes the builder out.
    pub fn into_inner(self) -> reqwest::RequestBuilder {
        self.inner
    }
}

impl From<reqwest::RequestBuilder> for RequestBuilder {
    fn from(inner: reqwest::RequestBuilder) -> Self {
        Self {
            inner,
            template: None,
        }
    }
}
