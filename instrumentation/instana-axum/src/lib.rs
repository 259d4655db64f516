#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod layer;
mod route;

pub use instana_tower::RequestHead;

pub use crate::layer::InstanaLayer;
pub use crate::route::MatchedRoute;
