//! The agent over real sockets.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking"
)]

mod control;
mod doctor;
mod faults;
mod lifecycle;
mod mutated_bodies;
mod mutated_spans;
mod mutations;
mod replay;
mod session;
mod support;
