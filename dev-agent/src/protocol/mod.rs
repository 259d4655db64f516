//! What the agent answers: a function of its state and a request.

mod answer;
mod handle;
mod incoming;
mod kind;
mod lifecycle;
mod route;
mod spans;

pub use self::answer::AnnounceAnswer;
pub(crate) use self::answer::merge;
pub(crate) use self::handle::handle;
pub(crate) use self::incoming::{Body, Incoming};
pub use self::kind::RequestKind;
pub(crate) use self::route::Route;
