//! The benchmarks on the system's allocator: instructions, wall time, memory.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    benchmarks::command::main()
}
