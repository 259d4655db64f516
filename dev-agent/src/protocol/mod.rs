//! Requests of tracers and the agent's answer to an announce, as values.

mod answer;
mod incoming;
mod kind;
mod route;

pub use self::answer::AnnounceAnswer;
pub(crate) use self::answer::merge;
pub(crate) use self::incoming::{Body, Ends, Incoming};
pub use self::kind::RequestKind;
pub(crate) use self::route::Route;
