//! Exits of redis, with connections that answer what they are told to.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends there"
)]

mod blocking;
mod calls;
mod errors;
mod fake;
mod forms;
mod pipelines;
mod wrapper;
