//! The Instana tracer.
mod agent;
mod config;
mod log;
mod metrics;
mod secrets;
mod status;
