//! What a span costs the calling thread: one scenario, a number of iterations,
//! for callgrind. `cargo xtask bench` builds and runs it.
#![forbid(unsafe_code)]

mod scenario;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(Ok(iterations))) =
        (arguments.next(), arguments.next().map(|text| text.parse()))
    else {
        eprintln!(
            "usage: benchmarks <{}> <iterations>",
            scenario::NAMES.join("|")
        );
        return ExitCode::from(2);
    };
    let guard = instana::builder()
        .service("bench")
        .agent("127.0.0.1:1")
        .extra_headers(["x-a", "x-b"])
        .buffer_bytes(1 << 18)
        .init();
    let guard = match guard {
        Ok(guard) => guard,
        Err(error) => {
            eprintln!("benchmarks: {error}");
            return ExitCode::FAILURE;
        }
    };
    let known = scenario::run(&name, iterations);
    drop(guard);
    if known {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
