//! Programs that tasks need beside Rust, installed from Debian's packages where they are missing.

use std::process::{Command, Stdio};

use crate::services;

/// What crates with C and C++ code need to be built, beside the C compiler that Rust itself links
/// with.
pub(crate) const COMPILERS: [Program; 2] = [("c++", &["g++"]), ("make", &["make"])];

/// With the symbols that it recommends.
pub(crate) const VALGRIND: [Program; 1] = [("valgrind", &["valgrind", "libc6-dbg"])];

/// A program, and Debian's packages it comes from.
type Program = (&'static str, &'static [&'static str]);

/// Installs what is missing; only root can. The text is for the summary.
pub(crate) fn ensure(needed: &[Program]) -> Result<String, String> {
    match missing(needed, answers).as_slice() {
        [] => Ok(String::new()),
        packages => services::install(packages).map(|()| "installed".to_owned()),
    }
}

fn missing(needed: &[Program], is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let missing = needed.iter().filter(|(program, _)| !is_there(program));
    missing
        .flat_map(|(_, packages)| *packages)
        .copied()
        .collect()
}

fn answers(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_installed() {
        assert!(missing(&COMPILERS, |_| true).is_empty());
        assert_eq!(missing(&COMPILERS, |program| program == "make"), ["g++"]);
    }
}
