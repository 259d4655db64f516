//! The Instana tracer.
