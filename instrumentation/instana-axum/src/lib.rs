#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod around;
mod layer;
mod route;
mod service;

pub use instana_tower::RequestHead;

pub use crate::layer::InstanaLayer;
pub use crate::route::MatchedRoute;
pub use crate::service::{ResponseFuture, Server};
