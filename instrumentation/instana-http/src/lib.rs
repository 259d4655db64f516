#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod capture;
pub mod client;
mod error;
mod grpc;
mod head;
mod headers;
mod mark;
mod record;
pub mod server;
mod server_timing;
mod url;

pub use crate::error::record_failure;
pub use crate::headers::{extract, inject, inject_context};
pub use crate::record::{record_exit, record_request, record_response};
pub use crate::server_timing::add_server_timing;
