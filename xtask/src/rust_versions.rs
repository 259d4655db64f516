//! The rule on the minimum Rust versions: that of a published crate is not below what its
//! dependencies need, as the lock file has them and with all features.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cargo::{self, text};

/// Minimum Rust versions by name and version of a package, of those that say one.
type Minimums = BTreeMap<(String, String), String>;

/// Compares them.
pub(crate) fn check() -> Result<String, String> {
    let packages = cargo::packages(&[])?;
    let minimums = minimums(&packages);
    let mut wrong = Vec::new();
    let published = cargo::published()?;
    for name in &published {
        let tree = cargo::tree(name, &["--all-features", "--edges", "normal,build"])?;
        let own = tree.first().and_then(|package| minimums.get(package));
        let own = own.ok_or_else(|| format!("{name} has no rust-version"))?;
        let needs_more = |needed: &&String| number(needed) > number(own);
        wrong.extend(tree.iter().filter_map(|package| {
            let needed = minimums.get(package).filter(needs_more)?;
            let (other, version) = package;
            Some(format!(
                "{name} says Rust {own}, {other} {version} needs {needed}"
            ))
        }));
    }
    wrong.sort();
    wrong.dedup();
    match wrong.as_slice() {
        [] => Ok(format!("{} crates", published.len())),
        wrong => Err(wrong.join("\n")),
    }
}

fn minimums(packages: &[Value]) -> Minimums {
    let minimum = |package: &Value| {
        let id = (text(package, "name")?, text(package, "version")?);
        Some((id, text(package, "rust_version")?))
    };
    packages.iter().filter_map(minimum).collect()
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
}
