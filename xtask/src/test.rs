//! What a change has to pass.

use std::process::Command;

use crate::services::{self, How, Up};
use crate::steps::{self, Step};
use crate::{bench, cargo, layers, programs, rust_versions, tree};

/// All steps, tests included.
pub(crate) fn test(how: &How) -> Vec<Step> {
    let mut steps = checks_before();
    steps.extend(with_services(how, |environment| {
        steps::cargo_with(
            "tests",
            "test --workspace --all-features --no-fail-fast",
            environment,
        )
    }));
    steps.push(all_orders());
    steps.push(unstable());
    steps.push(bench::check());
    steps.extend(checks_after());
    steps
}

/// All steps but the tests.
pub(crate) fn check() -> Vec<Step> {
    let mut steps = checks_before();
    steps.extend(checks_after());
    steps
}

/// loom's tests: core's segments in all orders in which threads may run. The flag goes to core
/// alone, so that its dependencies are those of the other tests.
pub(crate) fn all_orders() -> Step {
    println!("\n── loom");
    steps::timed("loom", || {
        let words = "rustc --package instana --lib --profile test";
        let program = cargo::test_program(words, &["--cfg", "loom"])?;
        let status = Command::new(program).arg("loom").status();
        match status.map_err(|error| error.to_string())? {
            status if status.success() => Ok(String::new()),
            status => Err(status.to_string()),
        }
    })
}

/// What `instana-tokio` has where tokio shows more of itself.
fn unstable() -> Step {
    let name = "tokio-unstable";
    let environment = [
        ("RUSTFLAGS", "--cfg tokio_unstable -D warnings"),
        ("RUSTDOCFLAGS", "--cfg tokio_unstable"),
    ];
    let words = "test --package instana-tokio --all-features";
    steps::cargo_apart(name, name, words, &environment)
}

/// Runs a step with the servers it needs, those that run and those that are
/// started for it; the latter are stopped, whatever becomes of the step.
fn with_services(how: &How, step: impl FnOnce(&[(&str, &str)]) -> Step) -> Vec<Step> {
    println!("\n── services");
    let mut up = Up::default();
    let started = steps::timed("services", || {
        up = services::up(how)?;
        let (all, new) = (up.environment.len(), up.started.len());
        match up.failures.as_slice() {
            [] => Ok(format!("{all} answer, {new} of them started")),
            failures => Err(failures.join("\n")),
        }
    });
    let environment = up.environment.iter();
    let environment: Vec<(&str, &str)> = environment
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let step = step(&environment);
    let mut steps = vec![started, step];
    if !up.started.is_empty() {
        steps.push(steps::timed("services, stopped", || {
            services::down(&up.started).map(|()| String::new())
        }));
    }
    steps
}

fn checks_before() -> Vec<Step> {
    let mut steps = vec![
        steps::timed("compilers", || programs::ensure(&programs::COMPILERS)),
        steps::cargo("format", "fmt --all --check"),
        steps::timed("layers", layers::check),
        steps::cargo(
            "lints",
            "clippy --workspace --all-targets --all-features -- -D warnings",
        ),
    ];
    // A workspace of their own.
    steps.extend(bench::lints());
    steps
}

fn checks_after() -> Vec<Step> {
    let mut steps = vec![
        steps::cargo_with(
            "documentation",
            "doc --workspace --no-deps --all-features",
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
        steps::timed("core's dependencies", tree::check),
        steps::timed("minimum Rust versions", rust_versions::check),
        // The README's first command builds nothing else.
        steps::cargo("shop alone", "check --package shop"),
    ];
    match cargo::published() {
        // Features that another member of the workspace switches on would hide
        // one that is missing.
        Ok(names) => steps.extend(names.iter().map(|name| {
            let words = format!("check --package {name} --lib");
            steps::cargo(&format!("{name} alone"), &words)
        })),
        Err(error) => steps.push(steps::timed("published crates", || Err(error))),
    }
    steps
}
