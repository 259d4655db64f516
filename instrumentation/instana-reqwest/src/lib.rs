#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod builder;
mod client;
mod ext;
#[cfg(feature = "middleware")]
mod middleware;
mod request;
mod send;

pub use instana_http::client::PathTemplate;

pub use crate::builder::ClientBuilder;
pub use crate::client::{Client, get};
pub use crate::ext::RequestBuilderExt;
#[cfg(feature = "middleware")]
pub use crate::middleware::InstanaMiddleware;
pub use crate::request::RequestBuilder;
