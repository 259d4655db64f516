//! Real processes, real sockets, a dev agent in each test: one module a subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected ends there"
)]

mod app;
mod aws;
mod batching;
mod downstream;
mod events;
mod graphql;
mod kafka;
mod lifecycle;
mod logs;
mod own_cases;
mod redis;
mod rules;
mod secrets;
mod services;
mod settings;
mod shutdown;
mod sqlx;
mod stacks;
mod trace_context;
