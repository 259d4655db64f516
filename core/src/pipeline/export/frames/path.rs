//! Paths of source files, as the compiler has written them into the binary.

/// Directories that stand below a package's own.
const BELOW_PACKAGE: [&str; 4] = ["src", "tests", "examples", "benches"];

/// Components that are kept of any other path.
const KEPT: usize = 2;

/// From the directory of the package on: `shop/src/main.rs`, or
/// `tokio-1.40.0/src/lib.rs`. Where things lay on the machine that built the
/// binary, and in whose home, is not sent.
pub(crate) fn short(path: &str) -> &str {
    let below = BELOW_PACKAGE
        .iter()
        .find_map(|directory| rfind_directory(path, directory));
    let kept = match below {
        Some(at) => rnth_slash(path.get(..at).unwrap_or_default(), 0),
        None => rnth_slash(path, KEPT - 1),
    };
    let start = kept.map_or(0, |slash| slash + 1);
    path.get(start..).unwrap_or(path).trim_start_matches('/')
}

/// The crate of a file of the standard library or of a registry, as Cargo writes
/// its name.
pub(crate) fn crate_of(path: &str) -> Option<&str> {
    // As it was built, or as `rustup component add rust-src` puts it.
    let library = path
        .strip_prefix("/rustc/")
        .and_then(|rest| rest.split_once("/library/"))
        .or_else(|| path.split_once("/lib/rustlib/src/rust/library/"));
    if let Some((_, rest)) = library {
        return rest.split('/').next();
    }
    if path.starts_with("/rust/deps/") {
        return Some("std");
    }
    let (_, rest) = path.split_once("/registry/src/")?;
    let package = rest.split('/').nth(1)?;
    let is_version = |(_, rest): &(&str, &str)| rest.starts_with(|c: char| c.is_ascii_digit());
    let at = package
        .match_indices('-')
        .filter_map(|(at, _)| package.split_at_checked(at))
        .map(|(name, version)| (name, version.trim_start_matches('-')))
        .find(is_version);
    Some(at.map_or(package, |(name, _)| name))
}

/// The last component.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where the slash before the last such directory is.
fn rfind_directory(path: &str, directory: &str) -> Option<usize> {
    let is_whole = |at: &usize| {
        let rest = path.get(at + directory.len()..);
        path.get(..*at).is_some_and(|before| before.ends_with('/'))
            && rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let found = path.rmatch_indices(directory).map(|(at, _)| at);
    found.filter(|at| is_whole(at)).map(|at| at - 1).next()
}

/// The position of a slash, counted from the end.
fn rnth_slash(path: &str, n: usize) -> Option<usize> {
    path.rmatch_indices('/').map(|(at, _)| at).nth(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_with_the_package() {
        for (path, expected) in [
            (
                "/home/me/work/shop/src/orders/load.rs",
                "shop/src/orders/load.rs",
            ),
            (
                "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tokio-1.40.0/src/lib.rs",
                "tokio-1.40.0/src/lib.rs",
            ),
            (
                "/home/me/.cargo/git/checkouts/tool-0a1b/c2d3/src/lib.rs",
                "c2d3/src/lib.rs",
            ),
            (
                "/home/me/work/shop/tests/it/main.rs",
                "shop/tests/it/main.rs",
            ),
            (
                "/home/me/work/shop/src/tests/one.rs",
                "shop/src/tests/one.rs",
            ),
            ("/usr/src/app/src/main.rs", "app/src/main.rs"),
            (
                "/rustc/59807616e/library/core/src/ops/function.rs",
                "core/src/ops/function.rs",
            ),
            ("src/main.rs", "src/main.rs"),
            ("shop/src/main.rs", "shop/src/main.rs"),
            ("/src/main.rs", "src/main.rs"),
            ("/home/me/out/generated.rs", "out/generated.rs"),
            ("/home/me/x/mysrc/generated.rs", "mysrc/generated.rs"),
            ("main.rs", "main.rs"),
            ("", ""),
        ] {
            assert_eq!(short(path), expected, "{path}");
        }
    }

    #[test]
    fn crates_are_found_in_paths() {
        for (path, expected) in [
            (
                "/rustc/59807616e/library/core/src/ops/function.rs",
                Some("core"),
            ),
            (
                "/r/lib/rustlib/src/rust/library/alloc/src/boxed.rs",
                Some("alloc"),
            ),
            ("/rust/deps/hashbrown-0.15.2/src/lib.rs", Some("std")),
            (
                "/h/.cargo/registry/src/index-0/tokio-1.40.0/src/lib.rs",
                Some("tokio"),
            ),
            (
                "/h/.cargo/registry/src/index-0/hyper-util-0.1.10/src/lib.rs",
                Some("hyper-util"),
            ),
            (
                "/h/.cargo/registry/src/index-0/a-0.1.0-rc.1/src/lib.rs",
                Some("a"),
            ),
            ("/h/.cargo/registry/src/index-0/odd/src/lib.rs", Some("odd")),
            ("/h/.cargo/registry/src/", None),
            ("/home/me/shop/src/main.rs", None),
        ] {
            assert_eq!(crate_of(path), expected, "{path}");
        }
    }

    #[test]
    fn file_names_are_the_last_component() {
        assert_eq!(file_name("/usr/lib/libc.so.6"), "libc.so.6");
        assert_eq!(file_name("[vdso]"), "[vdso]");
    }
}
