//! Requests that come in: what the layers and wrappers of server libraries have
//! in common.

mod body;
mod future;
mod head;
mod mark;
mod options;
mod route;

pub use self::body::TracedBody;
pub use self::future::ResponseFuture;
pub use self::head::RequestHead;
pub use self::options::Options;
pub use self::route::{NoRoute, RouteTemplate};
