//! Where the running code stands in its trace, and what each thread keeps of it.

pub(crate) mod block;
#[expect(
    clippy::module_inception,
    reason = "the file holds the type that the folder is named for"
)]
mod context;
pub(crate) mod ids;
pub(crate) mod inbox;
pub(crate) mod local;
pub(crate) mod polls;
pub(crate) mod slow_polls;
pub(crate) mod tracer;
pub(crate) mod unrecorded;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod unscoped;
#[cfg(not(any(test, feature = "testing")))]
#[path = "unscoped_none.rs"]
pub(crate) mod unscoped;
mod wakes;

pub use self::context::Context;
pub(crate) use self::context::{Extra, W3cTrace};
pub use self::ids::{Id, Ids, current_ids};
pub use self::tracer::Tracer;
