//! What an application suffers from the tracer when the system is against both: nothing.
//! Standard error that is full, closed, gone or somebody else's, loggers that block, no
//! threads, no memory, forks at every moment.
//!
//! Each case is a process of its own, this program once more, with an agent that is real.
//! It has no harness: `cargo test -p instana --test harm [words of names]`. With
//! `INSTANA_HARM=long` there are 5,000 forks and not 300.
#![cfg_attr(
    unix,
    expect(
        unsafe_code,
        reason = "descriptors, signals and forks are what is tested"
    ),
    expect(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        reason = "a test that meets something unexpected ends there"
    )
)]

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod descriptors;
#[cfg(unix)]
mod forks;
#[cfg(unix)]
mod interposed;
#[cfg(unix)]
mod loggers;
#[cfg(unix)]
mod parent;
#[cfg(unix)]
mod resources;
#[cfg(unix)]
mod taken;

#[cfg(unix)]
fn main() {
    parent::main();
}

#[cfg(not(unix))]
fn main() {}
