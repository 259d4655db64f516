//! What the tests of several instrumentation crates share and users do not need; it is
//! not published, and the published crates name it by its path in `dev-dependencies` only,
//! which `cargo publish` leaves out. What users need, too, is in `instana::testing`.

mod counting;
mod exits;

pub use self::counting::{Counting, allocations};
pub use self::exits::{exit, exits};
