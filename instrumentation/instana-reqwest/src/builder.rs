//! The builder of a client.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use reqwest::{Error, Proxy, redirect};

use crate::Client;

/// [`reqwest::ClientBuilder`], whose client records its requests. Use
/// [`with`](Self::with) for methods that need a feature of reqwest.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct ClientBuilder {
    inner: reqwest::ClientBuilder,
}

/// Methods of reqwest's builder that return it.
macro_rules! forward {
    ($(
        fn $name:ident $(<$($generic:ident),+>)? ($($arg:ident: $type:ty),*) $(where { $($bounds:tt)+ })?;
    )+) => {
        $(
            #[doc = concat!("As [`reqwest::ClientBuilder::", stringify!($name), "`].")]
            pub fn $name $(<$($generic),+>)? (self, $($arg: $type),*) -> Self
            $(where $($bounds)+)?
            {
                self.with(|inner| inner.$name($($arg),*))
            }
        )+
    };
}

impl ClientBuilder {
    /// As [`reqwest::ClientBuilder::new`].
    pub fn new() -> Self {
        Self::default()
    }

    forward! {
        fn user_agent<V>(value: V) where {
            V: TryInto<HeaderValue>,
            V::Error: Into<http::Error>,
        };
        fn default_headers(headers: HeaderMap);
        fn redirect(policy: redirect::Policy);
        fn referer(enable: bool);
        fn proxy(proxy: Proxy);
        fn no_proxy();
        fn timeout(timeout: Duration);
        fn read_timeout(timeout: Duration);
        fn connect_timeout(timeout: Duration);
        fn connection_verbose(verbose: bool);
        fn pool_idle_timeout<D>(timeout: D) where { D: Into<Option<Duration>> };
        fn pool_max_idle_per_host(max: usize);
        fn http1_only();
        fn http1_title_case_headers();
        fn tcp_nodelay(enabled: bool);
        fn tcp_keepalive<D>(interval: D) where { D: Into<Option<Duration>> };
        fn local_address<T>(address: T) where { T: Into<Option<IpAddr>> };
        fn resolve(domain: &str, address: SocketAddr);
        fn resolve_to_addrs(domain: &str, addresses: &[SocketAddr]);
        fn https_only(enabled: bool);
    }

    /// Any other method of reqwest's builder.
    ///
    /// ```
    /// let builder = instana_reqwest::Client::builder()
    ///     .with(|builder| builder.no_gzip());
    /// # let _ = builder;
    /// ```
    pub fn with(self, set: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> Self {
        Self {
            inner: set(self.inner),
        }
    }

    /// As [`reqwest::ClientBuilder::build`].
    ///
    /// # Errors
    /// As reqwest's.
    pub fn build(self) -> Result<Client, Error> {
        self.inner.build().map(Client::from)
    }

    /// The wrapped builder.
    pub fn inner(&self) -> &reqwest::ClientBuilder {
        &self.inner
    }

    /// Takes the builder out.
    pub fn into_inner(self) -> reqwest::ClientBuilder {
        self.inner
    }
}

impl From<reqwest::ClientBuilder> for ClientBuilder {
    fn from(inner: reqwest::ClientBuilder) -> Self {
        Self { inner }
    }
}
