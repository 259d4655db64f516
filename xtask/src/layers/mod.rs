//! The rule on imports: a layer uses only those below it, and files of different folders
//! do not use each other in a circle.

mod circle;
mod crate_tree;
mod file;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use self::crate_tree::{Arrow, CrateTree};

/// Core's layers, the lowest first: the folders of `core/src`.
const CORE: [&str; 9] = [
    "base", "secrets", "config", "record", "policy", "trace", "pipeline", "testing", "process",
];

/// Checks core, the dev agent and each instrumentation crate.
pub(crate) fn check() -> Result<String, String> {
    let mut sources = vec![PathBuf::from("core/src"), PathBuf::from("dev-agent/src")];
    let crates = fs::read_dir("instrumentation").map_err(|error| error.to_string())?;
    for entry in crates {
        let source = entry.map_err(|error| error.to_string())?.path().join("src");
        if source.is_dir() {
            sources.push(source);
        }
    }
    sources.sort();
    let mut faults = Vec::new();
    let mut arrows = 0;
    for source in &sources {
        let tree = CrateTree::read(source)?;
        arrows += tree.arrows().len();
        if source.starts_with("core") {
            faults.extend(up(&tree, &CORE));
        }
        faults.extend(circle::between_folders(&tree));
    }
    match faults.as_slice() {
        [] => Ok(format!(
            "{} crates, {arrows} imports between files",
            sources.len()
        )),
        faults => Err(faults.join("\n")),
    }
}

/// The arrows that run up, and files outside of any layer.
fn up(tree: &CrateTree, layers: &[&str]) -> Vec<String> {
    let position = |file: &Path| {
        let folder = file.components().next()?;
        let mut numbered = layers.iter().copied().enumerate();
        numbered.find(|(_, layer)| folder.as_os_str() == *layer)
    };
    let mut faults = Vec::new();
    for file in tree.files() {
        let is_root = file.components().count() == 1 && file.file_stem() == Some("lib".as_ref());
        if !is_root && position(file).is_none() {
            faults.push(format!("{} is in no layer", tree.shown(file)));
        }
    }
    let mut seen = BTreeSet::new();
    for Arrow { from, to, name } in tree.arrows() {
        let (Some(above), Some(below)) = (position(from), position(to)) else {
            continue;
        };
        if above.0 < below.0 && seen.insert((from, to)) {
            faults.push(format!(
                "{} imports `{name}` of {}: {} is above {}",
                tree.shown(from),
                tree.shown(to),
                below.1,
                above.1,
            ));
        }
    }
    if !faults.is_empty() {
        faults.push(format!(
            "the layers, the lowest first: {}",
            layers.join(", ")
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faults of a crate of these files.
    fn faults(name: &str, files: &[(&str, &str)], layers: &[&str]) -> Vec<String> {
        let root = std::env::temp_dir().join(format!("layers-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = CrateTree::read(&root).unwrap();
        let mut faults = up(&tree, layers);
        faults.extend(circle::between_folders(&tree));
        fs::remove_dir_all(&root).unwrap();
        let root = format!("{}/", root.display());
        faults
            .iter()
            .map(|fault| fault.replace(&root, ""))
            .collect()
    }

    #[test]
    fn an_arrow_up_is_named_through_re_exports_macros_and_modules_within() {
        let lib = "mod high; mod low; pub use crate::high::face::Face;";
        for low in [
            "use crate::high::deep::Deep;",
            "use crate::high::Deep as Other;",
            "use crate::{high::{Deep}};",
            "fn f() { let _ = crate::high::Deep::new(); }",
            "fn f(_: crate::high::deep::Deep) {}",
            "mod within { use super::super::high::Deep; }",
            "macro_rules! m { () => { crate::high::deep::Deep } }",
        ] {
            let files = [
                ("lib.rs", lib),
                ("low/mod.rs", low),
                (
                    "high/mod.rs",
                    "mod deep; mod face; pub use self::deep::Deep;",
                ),
                ("high/deep.rs", "pub struct Deep;"),
                ("high/face.rs", "pub struct Face;"),
            ];
            let faults = faults("up", &files, &["low", "high"]);
            assert_eq!(faults.len(), 2, "{low}: {faults:?}");
            let is_named = faults[0].contains(" of high/deep.rs: high is above low");
            assert!(
                faults[0].starts_with("low/mod.rs imports `") && is_named,
                "{faults:?}"
            );
            assert_eq!(faults[1], "the layers, the lowest first: low, high");
        }
    }

    #[test]
    fn arrows_down_and_those_of_tests_and_documentation_are_none() {
        let low = "//! See [x](crate::high::Deep).
            mod within { pub struct Own; fn f(_: super::Low) {} }
            pub struct Low;
            #[cfg(test)] mod tests { use crate::high::Deep; }
            #[cfg(test)] fn f() { crate::high::Deep; }
            #[macro_export] macro_rules! m { () => { $crate::high::Deep } }";
        let files = [
            ("lib.rs", "mod high; mod low;"),
            ("low/mod.rs", low),
            ("high/mod.rs", "use crate::low::Low; pub struct Deep;"),
        ];
        assert_eq!(faults("down", &files, &["low", "high"]), [] as [&str; 0]);
    }

    #[test]
    fn a_file_outside_of_the_layers_is_named() {
        let files = [
            ("lib.rs", "mod low; mod stray;"),
            ("low/mod.rs", ""),
            ("stray.rs", ""),
        ];
        let faults = faults("stray", &files, &["low"]);
        assert_eq!(faults[0], "stray.rs is in no layer");
    }

    #[test]
    fn a_circle_through_two_folders_is_named_and_one_in_a_folder_is_not() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod one; mod two; pub use self::one::One;"),
            ("a/one.rs", "use super::two::Two; pub struct One;"),
            ("a/two.rs", "use super::one::One; pub struct Two;"),
            ("b/mod.rs", "use crate::a::One; pub struct B;"),
        ];
        assert_eq!(faults("folder", &files, &["a", "b"]), [] as [&str; 0]);
        let mut files = files;
        files[3].1 = "use crate::b::B; pub struct Two;";
        let faults = faults("circle", &files, &["b", "a"]);
        let circle = "a circle: a/two.rs → b/mod.rs → a/one.rs → a/two.rs";
        assert!(faults.iter().any(|fault| fault == circle), "{faults:?}");
    }
}
