//! Names in a configuration file that mean nothing, such as those with a typing
//! mistake.

use crate::config::key::Path;
use crate::config::keys;
use crate::config::keys::KEYS;
use crate::config::problem::{Problems, Using};
use crate::config::tree::{Item, Node, Tree};

const REST: Using = Using::Rest("the other settings");

/// Tells of the names in `tracing` that no setting has. Other parts of the host
/// agent's configuration are none of our business.
pub(crate) fn report(tree: &Tree, path: &str, problems: &mut Problems) {
    let names = tree.root.map();
    let is_any_known = names.is_some_and(|names| names.keys().any(|name| keys::is_root(name)));
    if !is_any_known && tree.root.item != Item::Null {
        let text =
            format!("{path}: has no settings: `tracing` or `secrets` is expected at its top");
        return problems.add(text, Using::Rest("the other sources"));
    }
    if let Some(node) = tree.root.get("tracing") {
        let mut report = Report {
            path,
            paths: KEYS.iter().flat_map(|key| key.paths).collect(),
            problems,
        };
        report.node(node, &mut vec!["tracing"]);
    }
}

struct Report<'a> {
    path: &'a str,
    paths: Vec<&'static Path>,
    problems: &'a mut Problems,
}

impl Report<'_> {
    /// As deep as the tree, which is bounded.
    fn node<'a>(&mut self, node: &'a Node, names: &mut Vec<&'a str>) {
        let known = self.paths.iter().map(|path| part(path, names)).max();
        let (line, name) = (node.line, names.join("."));
        match (known.unwrap_or(Part::None), &node.item) {
            (Part::Whole, _) | (_, Item::Null) => {}
            (Part::Begin, Item::Map(map)) => {
                for (name, node) in map {
                    names.push(name);
                    self.node(node, names);
                    names.pop();
                }
            }
            (Part::Begin, _) => {
                let name = format!("{}:{line}: {name}", self.path);
                let value = node.to_string();
                let accepted = "a setting, nor a map of settings";
                self.problems.value(&name, &value, accepted, REST);
            }
            (Part::None, _) => {
                let text = format!("{}:{line}: {name:.128} is no setting", self.path);
                self.problems.add(text, REST);
            }
        }
    }
}

/// How much of a setting's path some names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    None,
    Begin,
    Whole,
}

fn part(path: &Path, names: &[&str]) -> Part {
    let mut segments = path.name.split('.');
    let fits = names.iter().all(|name| {
        let segment = segments.next();
        segment.is_some_and(|segment| segment == "*" || segment == *name)
    });
    match (fits, segments.next()) {
        (false, _) => Part::None,
        (true, None) => Part::Whole,
        (true, Some(_)) => Part::Begin,
    }
}
