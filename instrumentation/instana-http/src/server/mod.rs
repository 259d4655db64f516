//! Incoming requests: the common parts of layers and wrappers of server libraries.

mod body;
mod future;
mod head;
mod options;
mod route;

pub use self::body::TracedBody;
pub use self::future::ResponseFuture;
pub use self::head::RequestHead;
pub use self::options::Options;
pub use self::route::{NoRoute, RouteTemplate};
