//! Tasks of this repository: `cargo xtask`.
#![forbid(unsafe_code)]

mod bench;
mod command;
mod compilers;
mod debian;
mod options;
mod packages;
mod rust_versions;
mod sanitize;
mod services;
mod steps;
mod summary;
mod test;
mod tree;
mod user;
mod variables;

use std::process::ExitCode;

use crate::options::{Options, Task};

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("xtask: {error}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    // Paths are those of the repository, wherever the task is started.
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("xtask: {root}: {error}");
        return ExitCode::FAILURE;
    }
    let outcome = match options.task {
        Task::Help => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Task::Bench(options) => bench::run(&options),
        Task::Check => test::check(),
        Task::Sanitize => sanitize::run(),
        Task::Services(options) => {
            return match services::run(&options) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("xtask: {error}");
                    ExitCode::FAILURE
                }
            };
        }
        Task::Test(how) => test::test(&how),
    };
    summary::print(&outcome);
    if outcome.iter().all(|step| step.passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
