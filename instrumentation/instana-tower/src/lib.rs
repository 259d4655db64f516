#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod grpc;
mod server;

pub use instana_http::client::PathTemplate;
pub use instana_http::server::{
    NoRoute, Options, RequestHead, ResponseFuture, RouteTemplate, TracedBody,
};

pub use crate::client::{Client, InstanaClientLayer};
pub use crate::grpc::{GrpcClient, InstanaGrpcClientLayer};
pub use crate::server::{InstanaServerLayer, Server};
