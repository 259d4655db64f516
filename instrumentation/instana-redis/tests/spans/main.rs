//! Exits of redis, with connections that answer what they are told to.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod blocking;
mod calls;
mod errors;
mod fake;
mod forms;
mod pipelines;
mod wrapper;
