//! What crates with C and C++ code need to be built, beside the C compiler that
//! Rust itself links with.

use crate::debian::{self, Packages};
use crate::steps::{self, Step};

/// Programs, and where they come from on Debian.
const NEEDED: [(&str, Packages); 2] = [("c++", package(&["g++"])), ("make", package(&["make"]))];

const fn package(names: &'static [&'static str]) -> Packages {
    Packages { names, units: &[] }
}

/// The step that installs what is missing.
pub(crate) fn step() -> Step {
    steps::timed("compilers", || {
        let missing = missing(|program| debian::find_program(program).is_some());
        match missing.as_slice() {
            [] => Ok(String::new()),
            missing => debian::install(missing).map(|()| "installed".to_owned()),
        }
    })
}

fn missing(has: impl Fn(&str) -> bool) -> Vec<Packages> {
    let missing = NEEDED.iter().filter(|(program, _)| !has(program));
    missing.map(|(_, packages)| *packages).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_installed() {
        assert!(missing(|_| true).is_empty());
        let missing = missing(|program| program == "make");
        let names: Vec<&str> = missing.iter().flat_map(|p| p.names).copied().collect();
        assert_eq!(names, ["g++"]);
    }
}
