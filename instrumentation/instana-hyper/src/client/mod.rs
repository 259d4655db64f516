//! Connections, services and pooled clients.

#[cfg(any(feature = "http1", feature = "http2"))]
mod answer;
#[cfg(feature = "http1")]
pub mod http1;
#[cfg(feature = "http2")]
pub mod http2;
#[cfg(all(feature = "client-legacy", any(feature = "http1", feature = "http2")))]
pub mod legacy;
#[cfg(any(feature = "http1", feature = "http2"))]
mod send_request;
mod service;

pub use instana_http::client::PathTemplate;

pub use self::service::Traced;
