//! What a configuration file and the agent's answer have in common: named,
//! nested values.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The most values of one tree, and how deep they may be nested.
pub(crate) const MOST: usize = 50_000;
pub(crate) const DEEPEST: usize = 32;

/// Before the names of the host agent's own `configuration.yaml`.
const PREFIX: &str = "com.instana.";

/// A file's or an answer's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    /// The file's path; `None` is the agent.
    pub(crate) file: Option<Arc<str>>,
    pub(crate) root: Node,
}

/// One value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Node {
    /// Where it stands, from 1 on; 0 is not known.
    pub(crate) line: u32,
    pub(crate) item: Item,
}

/// What a value is. Numbers, `true` and `false` are texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Item {
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
    #[default]
    Null,
    Text(String),
}

impl Tree {
    pub(crate) fn of_file(path: &Arc<str>, root: Node) -> Self {
        Self {
            file: Some(path.clone()),
            root: root.with_plain_names(),
        }
    }

    /// The settings in the agent's answer to the announce: its members with `known`
    /// names.
    pub(super) fn of_members(answer: &Map<String, Value>, known: impl Fn(&str) -> bool) -> Self {
        let mut left = MOST;
        let members = answer
            .iter()
            .filter(|(name, _)| known(plain(name).0))
            .map(|(name, value)| (name.clone(), Node::of_json(value, &mut left)));
        let root = Node {
            line: 0,
            item: Item::Map(members.collect()),
        };
        Self {
            file: None,
            root: root.with_plain_names(),
        }
    }

    /// The value at a path such as `tracing.disable`; nulls are nothing.
    pub(crate) fn at(&self, path: &str) -> Option<&Node> {
        path.split('.')
            .try_fold(&self.root, |node, name| node.get(name))
            .filter(|node| node.item != Item::Null)
    }
}

impl Node {
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.map()?.get(name)
    }

    pub(crate) fn map(&self) -> Option<&BTreeMap<String, Self>> {
        match &self.item {
            Item::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.item {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The values of a list; a value that is none stands for a list of it.
    pub(crate) fn list(&self) -> &[Self] {
        match &self.item {
            Item::List(list) => list,
            Item::Null => &[],
            Item::Map(_) | Item::Text(_) => std::slice::from_ref(self),
        }
    }

    /// What is left out beyond `left` is null. The answer's parser bounds its depth.
    fn of_json(value: &Value, left: &mut usize) -> Self {
        let Some(rest) = left.checked_sub(1) else {
            return Self::default();
        };
        *left = rest;
        let item = match value {
            Value::Array(list) => Item::List(
                list.iter()
                    .map(|value| Self::of_json(value, left))
                    .collect(),
            ),
            Value::Bool(value) => Item::Text(value.to_string()),
            Value::Null => Item::Null,
            Value::Number(number) => Item::Text(number.to_string()),
            Value::Object(map) => Item::Map(
                map.iter()
                    .map(|(name, value)| (name.clone(), Self::of_json(value, left)))
                    .collect(),
            ),
            Value::String(text) => Item::Text(text.clone()),
        };
        Self { line: 0, item }
    }

    /// Names the outermost values without `com.instana.`, and puts `plugin.x`
    /// into `plugin`. A plain name wins over a long one.
    fn with_plain_names(self) -> Self {
        let Item::Map(map) = self.item else {
            return self;
        };
        let mut root = Self {
            line: self.line,
            item: Item::Map(BTreeMap::new()),
        };
        let (long, short): (Vec<_>, Vec<_>) = map
            .into_iter()
            .partition(|(name, _)| name.starts_with(PREFIX));
        for (name, node) in short.into_iter().chain(long) {
            let line = node.line;
            let inside = |name: &str, node| Self {
                line,
                item: Item::Map(BTreeMap::from([(name.to_owned(), node)])),
            };
            root.join(match plain(&name) {
                (name, None) => inside(name, node),
                (name, Some(rest)) => inside(name, inside(rest, node)),
            });
        }
        root
    }

    /// Adds what is not there yet. As deep as `plugin.x`.
    fn join(&mut self, other: Self) {
        let (Item::Map(map), Item::Map(others)) = (&mut self.item, other.item) else {
            return;
        };
        for (name, node) in others {
            match map.entry(name) {
                Entry::Vacant(place) => drop(place.insert(node)),
                Entry::Occupied(place) => place.into_mut().join(node),
            }
        }
    }
}

impl fmt::Display for Node {
    /// A text as it is; of the others, what they are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.item {
            Item::List(_) => "a list",
            Item::Map(_) => "a map",
            Item::Null => "nothing",
            Item::Text(text) => text,
        })
    }
}

/// The plain name, and what stands in it by another.
fn plain(name: &str) -> (&str, Option<&str>) {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    match name.split_once('.') {
        Some((plugin @ "plugin", rest)) => (plugin, Some(rest)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree(answer: &Value) -> Tree {
        Tree::of_answer(answer.as_object().unwrap())
    }

    fn text(tree: &Tree, path: &str) -> Option<String> {
        tree.at(path)?.text().map(str::to_owned)
    }

    #[test]
    fn names_of_every_form_are_found() {
        let tree = tree(&json!({
            "com.instana.tracing": {"kafka": {"header-format": "both"}, "disable": "long"},
            "tracing": {"disable": "short", "global": null},
            "plugin.my.rust": {"poll_rate": 5},
            "plugin": {"rust": {"poll_rate": 7.5}},
            "spanBatchingEnabled": true,
            "unknown": {"a": 1},
        }));
        for (path, expected) in [
            ("tracing.disable", Some("short")),
            ("tracing.kafka.header-format", Some("both")),
            ("plugin.rust.poll_rate", Some("7.5")),
            ("spanBatchingEnabled", Some("true")),
            ("tracing", None),
            ("tracing.nothing", None),
            ("tracing.disable.deeper", None),
            ("unknown.a", None),
        ] {
            assert_eq!(text(&tree, path).as_deref(), expected, "{path}");
        }
        assert_eq!(tree.at("tracing.global"), None);
        assert!(tree.root.get("plugin").unwrap().get("my.rust").is_some());
    }

    #[test]
    fn large_answers_are_cut() {
        let tree = tree(&json!({"extraHeaders": vec!["x"; 2 * MOST]}));
        let list = tree.at("extraHeaders").unwrap().list();
        let kept = list.iter().filter(|node| node.item != Item::Null).count();
        assert_eq!(kept, MOST - 1);
    }
}
