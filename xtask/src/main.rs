//! Tasks of this repository: `cargo xtask`.
#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod layers;
mod programs;
mod rust_versions;
mod sanitize;
mod services;
mod steps;
mod test;
mod tree;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Everything a change has to pass; ends with one summary
    ///
    /// Format, lints, all tests (it brings up the services they need), documentation, every
    /// published crate on its own, the dependency rules.
    Test(services::How),
    /// The same without the tests
    Check,
    /// The rule on imports alone
    Layers,
    /// loom's tests: core's segments in all orders in which threads may run
    Loom,
    /// The benchmarks, side by side with other libraries: tables
    Bench(bench::Options),
    /// Core's tests under the thread and the address sanitizer, on stable Rust
    ///
    /// It needs Linux on x86-64 or aarch64, a C linker and some minutes.
    Sanitize,
    /// The servers that tests and examples talk to: up, down, status (`services --help`)
    #[command(disable_help_flag = true)]
    Services {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Paths are those of the repository, wherever the task is started.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("xtask: {root}: {error}");
        return ExitCode::FAILURE;
    }
    let outcome = match arguments.task {
        Task::Bench(options) => bench::run(&options),
        Task::Check => test::check(),
        Task::Layers => vec![steps::timed("layers", layers::check)],
        Task::Loom => vec![test::all_orders()],
        Task::Sanitize => sanitize::run(),
        Task::Services { arguments } => return services::run(&arguments),
        Task::Test(how) => test::test(&how),
    };
    steps::finish(&outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_services_is_passed_on() {
        let words = ["cargo xtask", "services", "down", "--purge", "--help"];
        match Arguments::parse_from(words).task {
            Task::Services { arguments } => assert_eq!(arguments, words[2..]),
            other => panic!("{other:?}"),
        }
    }
}
