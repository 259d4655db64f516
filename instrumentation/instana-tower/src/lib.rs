#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod server;

pub use instana_http::client::PathTemplate;
pub use instana_http::server::{NoRoute, RequestHead, ResponseFuture, RouteTemplate, TracedBody};

pub use crate::client::{Client, InstanaClientLayer};
pub use crate::server::{InstanaServerLayer, Server};
