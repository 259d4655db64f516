//! Where a value is being read, so that a mistake in it can be named.

use std::fmt::{self, Display};
use std::sync::Arc;

use crate::config::Origin;
use crate::config::problem::{Problems, Using};
use crate::config::tree::{Node, Tree};

/// Reads one key from one source.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    /// The key, to show what is in force instead of a mistake.
    pub(crate) key: &'static str,
    /// The plugin's name: the agent has settings by plugin.
    pub(crate) plugin: &'a str,
    pub(crate) problems: &'a mut Problems,
}

impl Reader<'_> {
    /// The value of the key cannot be used.
    pub(crate) fn refuse(&mut self, place: &Place<'_>, value: &str, accepted: &str) {
        let using = Using::Key(self.key);
        self.problems
            .value(&place.to_string(), value, accepted, using);
    }

    /// A part of the value cannot be used, the `rest` can.
    pub(crate) fn skip(
        &mut self,
        place: &Place<'_>,
        value: &str,
        accepted: &str,
        rest: &'static str,
    ) {
        let using = Using::Rest(rest);
        self.problems
            .value(&place.to_string(), value, accepted, using);
    }
}

/// A place in a source: a variable, a setter, or a path in a file or in the
/// agent's answer.
#[derive(Clone, Debug)]
pub(crate) struct Place<'a> {
    tree: Option<&'a Tree>,
    name: String,
    line: u32,
}

impl<'a> Place<'a> {
    /// A variable or a setter.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            tree: None,
            name: name.to_owned(),
            line: 0,
        }
    }

    pub(crate) fn tree(tree: &'a Tree, path: &str, node: &Node) -> Self {
        Self {
            tree: Some(tree),
            name: path.to_owned(),
            line: node.line,
        }
    }

    /// Where `node` stands inside, by a name or a number.
    pub(crate) fn inside(&self, name: impl Display, node: &Node) -> Self {
        Self {
            tree: self.tree,
            name: format!("{}.{name}", self.name),
            line: node.line,
        }
    }

    /// The origin of a value that stands here.
    pub(crate) fn origin(&self) -> Origin {
        match self.tree.map(|tree| &tree.file) {
            Some(Some(path)) => Origin::File {
                path: path.clone(),
                line: self.line,
            },
            Some(None) => Origin::Agent,
            None => Origin::Environment {
                variable: Arc::from(self.name.as_str()),
            },
        }
    }
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tree.map(|tree| &tree.file) {
            Some(Some(path)) => write!(f, "{path}:{}: {}", self.line, self.name),
            Some(None) => write!(f, "the agent's {}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
