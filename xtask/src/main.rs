//! Tasks of this repository: `cargo xtask`.
#![forbid(unsafe_code)]

mod bench;
mod options;
mod packages;
mod steps;
mod summary;
mod test;
mod tree;

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
    let outcome = match options.task {
        Task::Help => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Task::Bench(options) => bench::run(&options),
        Task::Check => test::check(),
        Task::Test => test::test(),
    };
    summary::print(&outcome);
    if outcome.iter().all(|step| step.passed) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
