//! What the agent thread does beside sending: once a second, and when a flush or the
//! shutdown begins.

use crate::trace::context::{slow_polls, unrecorded};

/// Writes what spans have noted for the log: slow polls, and spans that were not recorded.
pub(crate) fn tick() {
    slow_polls::tell();
    unrecorded::say();
}
