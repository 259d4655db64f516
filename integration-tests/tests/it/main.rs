//! Real processes, real sockets, a dev agent in each test: one module a subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends there"
)]

mod app;
mod batching;
mod downstream;
mod events;
mod kafka;
mod lifecycle;
mod logs;
mod metrics;
mod own_cases;
mod rules;
mod secrets;
mod settings;
mod shutdown;
mod stacks;
mod trace_context;
