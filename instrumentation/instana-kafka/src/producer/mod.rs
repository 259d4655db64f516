//! Producers: an exit for each record, from the call that sends it to its
//! delivery.

mod base;
mod context;
mod delivery;
mod forward;
mod future;
mod record;
mod threaded;
mod transaction;

pub use self::base::BaseProducer;
pub use self::context::{InstanaContext, Tracked};
pub use self::delivery::DeliveryFuture;
pub use self::future::FutureProducer;
pub use self::threaded::ThreadedProducer;
