//! Circles between files of different folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::crate_tree::CrateTree;

/// One line for each circle that runs through more than one folder.
pub(super) fn between_folders(tree: &CrateTree) -> Vec<String> {
    let mut below: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
    for arrow in tree.arrows() {
        // A crate's root names all of it.
        if arrow.to.components().count() > 1 || !is_root(&arrow.to) {
            below.entry(&arrow.from).or_default().push(&arrow.to);
        }
    }
    let mut faults = Vec::new();
    let mut reported: Vec<PathBuf> = Vec::new();
    for (file, nexts) in &below {
        if reported.iter().any(|known| known == file) {
            continue;
        }
        for next in nexts {
            if next.parent() == file.parent() {
                continue;
            }
            if let Some(way) = way(&below, next, file) {
                reported.extend(way.iter().map(|file| file.to_path_buf()));
                let names: Vec<String> = way.iter().map(|file| tree.shown(file)).collect();
                faults.push(format!(
                    "a circle: {} → {}",
                    tree.shown(file),
                    names.join(" → ")
                ));
                break;
            }
        }
    }
    faults
}

fn is_root(file: &Path) -> bool {
    file.file_stem() == Some("lib".as_ref()) || file.file_stem() == Some("main".as_ref())
}

/// The shortest way from one file to another, both included.
fn way<'a>(
    below: &BTreeMap<&'a Path, Vec<&'a Path>>,
    from: &'a Path,
    to: &Path,
) -> Option<Vec<&'a Path>> {
    let mut reached: BTreeMap<&Path, Option<&Path>> = BTreeMap::from([(from, None)]);
    let mut edge = vec![from];
    while !edge.is_empty() && !reached.contains_key(to) {
        let mut next_edge = Vec::new();
        for file in edge {
            for next in below.get(file).into_iter().flatten() {
                if !reached.contains_key(next) {
                    reached.insert(next, Some(file));
                    next_edge.push(*next);
                }
            }
        }
        edge = next_edge;
    }
    let mut at = *reached.get_key_value(to)?.0;
    let mut way = vec![at];
    while let Some(Some(before)) = reached.get(at) {
        at = before;
        way.push(at);
    }
    way.reverse();
    Some(way)
}
