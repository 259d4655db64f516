#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agent;
mod clock;
mod config;
pub mod doctor;
mod fault;
mod handler;
mod json;
mod map;
mod memory;
mod notice;
mod protocol;
pub mod render;
#[cfg(test)]
mod repository;
mod server;
mod state;
mod store;
mod tcp_table;
mod text;
mod trace;
mod validate;

pub use self::agent::{DevAgent, StartError, Timeout};
pub use self::config::Config;
pub use self::fault::{Fault, Matcher, What};
pub use self::map::{Edge, Service, ServiceMap};
pub use self::notice::Notice;
pub use self::protocol::{AnnounceAnswer, RequestKind};
pub use self::state::{Dropped, Notices, Process, Request, View};
pub use self::trace::{Row, SpanKind, Trace, TraceSpan};
pub use self::validate::{Finding, Rule, Violations};
