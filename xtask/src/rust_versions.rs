//! The rule on the minimum Rust versions: that of a published crate is not below what its
//! dependencies need, as the lock file has them and with all features.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::packages;

/// Minimum Rust versions by name and version of a package, of those that say one.
type Minimums = BTreeMap<(String, String), String>;

/// Compares them.
pub(crate) fn check() -> Result<String, String> {
    let packages = packages::all()?;
    let minimums = minimums(&packages);
    let mut wrong = Vec::new();
    let published = packages::published()?;
    for name in &published {
        let tree = tree(name)?;
        // The first line is the package itself.
        let mut lines = tree.lines().filter_map(name_and_version);
        let Some(own) = lines.next().and_then(|package| minimums.get(&package)) else {
            return Err(format!("{name} has no rust-version"));
        };
        for package in lines {
            match minimums.get(&package) {
                Some(needed) if number(needed) > number(own) => wrong.push(format!(
                    "{name} says Rust {own}, {} {} needs {needed}",
                    package.0, package.1
                )),
                _ => {}
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    match wrong.as_slice() {
        [] => Ok(format!("{} crates", published.len())),
        wrong => Err(wrong.join("\n")),
    }
}

fn minimums(packages: &[Value]) -> Minimums {
    let text = |package: &Value, key| Some(package.get(key)?.as_str()?.to_owned());
    let minimum = |package: &Value| {
        let id = (text(package, "name")?, text(package, "version")?);
        Some((id, text(package, "rust_version")?))
    };
    packages.iter().filter_map(minimum).collect()
}

/// The package and all that it depends on, one a line.
fn tree(package: &str) -> Result<String, String> {
    let program = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(program)
        .args(["tree", "--all-features", "--edges", "normal,build"])
        .args(["--prefix", "none", "--format", "{p}", "--package", package])
        .output()
        .map_err(|error| format!("{program} could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Of a line such as `libc v0.2.191`.
fn name_and_version(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    Some((name, words.next()?.strip_prefix('v')?.to_owned()))
}

/// The parts of a version; one that is missing is 0.
fn number(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_parts() {
        assert_eq!(number("1.85"), number("1.85.0"));
        assert!(number("1.9") < number("1.85"));
        assert!(number("1.94.1") > number("1.94"));
    }

    #[test]
    fn a_line_has_a_name_and_a_version() {
        let id = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(name_and_version("libc v0.2.191"), id("libc", "0.2.191"));
        assert_eq!(
            name_and_version("instana v1.0.0 (/a b) (*)"),
            id("instana", "1.0.0")
        );
        assert_eq!(name_and_version(""), None);
    }
}
