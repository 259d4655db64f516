//! The same benchmarks on an allocator that counts. A program of its own, so
//! that counting costs the other figures nothing.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use benchmarks::allocator::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    benchmarks::command::main()
}
