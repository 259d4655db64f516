//! Stack traces of exits.

use std::collections::BTreeMap;
use std::fmt;

use crate::config::Entry;
use crate::config::kind::number::Frames;
use crate::config::kind::{Kind, LONGEST, MOST, Path, joined};
use crate::config::reader::{Place, Reader};
use crate::config::tree::{Node, Tree};

/// A [`StackTraces`].
pub(crate) struct Mode;

/// Exceptions from it by technology.
pub(crate) struct Technologies;

/// Which exits have the stack of their caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StackTraces {
    /// All of them.
    All,
    /// Those that failed.
    #[default]
    Error,
    /// None.
    None,
}

/// What differs for one technology, such as `kafka`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TechnologyStackTraces {
    pub(crate) mode: Option<StackTraces>,
    /// Frames.
    pub(crate) length: Option<u16>,
}

const MODE: &str = "stack-trace";
const LENGTH: &str = "stack-trace-length";

impl Kind for Mode {
    type Value = StackTraces;

    const ACCEPTED: &'static str = "a mode of stack traces (all, error or none)";

    fn from_text(text: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<StackTraces> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "all" => StackTraces::All,
            "error" => StackTraces::Error,
            "none" => StackTraces::None,
            _ => return None,
        })
    }

    fn show(value: &StackTraces) -> String {
        value.to_string()
    }
}

impl fmt::Display for StackTraces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Error => "error",
            Self::None => "none",
        })
    }
}

impl Kind for Technologies {
    /// By the name of the technology, in lower case.
    type Value = BTreeMap<String, TechnologyStackTraces>;

    const ACCEPTED: &'static str = "at most 256 technologies with at most 500 frames";

    fn is_usable(value: &Self::Value) -> bool {
        let mut lengths = value.values().filter_map(|traces| traces.length);
        value.len() <= MOST && lengths.all(|length| Frames::is_usable(&length))
    }

    /// No variable has them.
    fn from_text(_: &str, _: &Place<'_>, _: &mut Reader<'_>) -> Option<Self::Value> {
        None
    }

    fn show(value: &Self::Value) -> String {
        let words = value.iter().map(|(name, traces)| {
            let mode = traces.mode.map(|mode| format!(" {mode}"));
            let length = traces.length.map(|length| format!(" {length} frames"));
            format!(
                "{name}{}{}",
                mode.unwrap_or_default(),
                length.unwrap_or_default()
            )
        });
        joined(&words.collect::<Vec<_>>())
    }

    /// Every map in `tracing` that has one of the two keys.
    fn from_tree(_: &[Path], tree: &Tree, reader: &mut Reader<'_>) -> Option<Entry<Self::Value>> {
        let mut found = BTreeMap::new();
        let mut origin = None;
        for (name, node) in tree.at("tracing")?.map()? {
            if name == "global" || found.len() == MOST || name.len() > LONGEST {
                continue;
            }
            let path = format!("tracing.{name}");
            let mode = part::<Mode>(tree, &path, MODE, node, reader);
            let length = part::<Frames>(tree, &path, LENGTH, node, reader);
            if mode.is_some() || length.is_some() {
                origin.get_or_insert(Place::tree(tree, &path, node).origin());
                found.insert(name.to_lowercase(), TechnologyStackTraces { mode, length });
            }
        }
        Some(Entry::new(found, origin?))
    }
}

fn part<K: Kind>(
    tree: &Tree,
    path: &str,
    name: &str,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<K::Value> {
    let node = node.get(name)?;
    let place = Place::tree(tree, &format!("{path}.{name}"), node);
    let value = K::from_text(node.text().unwrap_or_default(), &place, reader);
    if value.is_none() {
        let rest = "the setting of all technologies";
        reader.skip(&place, &node.to_string(), K::ACCEPTED, rest);
    }
    value
}
