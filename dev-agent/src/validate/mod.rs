//! The protocol's rules, as pure checks of bodies and spans.

pub(crate) mod announce;
pub(crate) mod event;
mod finding;
pub(crate) mod generic;
pub(crate) mod http;
pub(crate) mod links;
pub(crate) mod metrics;
pub(crate) mod profile;
mod report;
mod rule;
mod secrets;
pub(crate) mod socket;
pub(crate) mod span;

pub use self::finding::{Finding, Violations};
pub(crate) use self::report::Report;
pub use self::rule::Rule;
pub(crate) use self::secrets::Secrets;
